/** Who listens to what: the smallest typed emitter that also runs in a browser. */
export class Listeners<Events extends object> {
  readonly #byName = new Map<keyof Events, Set<(event: never) => void>>();

  /** Returns the way to stop listening. */
  on<K extends keyof Events>(name: K, f: (event: Events[K]) => void): () => void {
    const set = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, set);
    set.add(f as (event: never) => void);
    return () => {
      set.delete(f as (event: never) => void);
    };
  }

  /** Tells everybody who listens now; one who stops meanwhile may still be told. */
  tell<K extends keyof Events>(name: K, event: Events[K]): void {
    for (const f of [...(this.#byName.get(name) ?? [])]) (f as (event: Events[K]) => void)(event);
  }
}
