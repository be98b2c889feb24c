/** The server's HTTP interface, as far as benches need it: to furnish what is then measured over WebSockets. */

export class Api {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** As the operator of a server in local mode. @throws Error with the server's own words. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.url}/v1${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  async ready(): Promise<boolean> {
    return fetch(`${this.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  /** Committed batches and journal rows so far (`/metrics`). */
  async commits(): Promise<{ batches: number; entries: number }> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const value = (name: string) => Number(new RegExp(`^${name}\\S* (\\d+)`, 'm').exec(text)?.[1] ?? 0);
    return {
      batches: value('baton_commits_total\\{outcome="committed"\\}'),
      entries: value('baton_journal_entries_total'),
    };
  }
}
