/** What is shown instead of pages: while connecting, when a key is needed, and when there is no company yet. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { pageClock } from '../clock.ts';
import { companies, hasKey, link, signIn, unknownCompany } from '../session.ts';
import { Brand } from './header.tsx';

export function Waiting() {
  const isSlow = useSignal(false);
  useEffect(() => pageClock.after(1500, () => (isSlow.value = true)), []);
  const { value: now } = link;
  return (
    <main class="alone">
      <Brand />
      <p role="status">
        {now.is === 'lost' || isSlow.value ? 'The server does not answer yet; trying again…' : 'Connecting…'}
      </p>
      {now.is === 'lost' && <p class="quiet">{now.why}</p>}
    </main>
  );
}

export function SignIn() {
  const key = useSignal('');
  const { value: now } = link;
  if (now.is !== 'refused') return null;
  const { error } = now;
  const isKey = error.code === 'UNAUTHENTICATED';
  return (
    <main class="alone">
      <Brand />
      <form
        class="card sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          signIn(key.value);
        }}
      >
        <h1>{isKey ? 'Sign in' : 'The server refused this page'}</h1>
        {!isKey || hasKey() ? (
          <p class="refusal" role="alert">
            <code>{error.code}</code> {error.message}
          </p>
        ) : (
          <p class="quiet">This server is not in local mode: it wants a key.</p>
        )}
        <label for="key">Key or token</label>
        <input
          id="key"
          type="password"
          autocomplete="off"
          spellcheck={false}
          autofocus
          value={key.value}
          onInput={(event) => (key.value = event.currentTarget.value)}
        />
        <button type="submit" class="button primary" disabled={key.value.trim() === ''}>
          Sign in
        </button>
        <p class="quiet">
          It is kept in this tab only and never becomes part of an address. An operator makes keys with{' '}
          <code>POST /v1/companies/…/keys</code>; the server’s own token is the one it was started with, or
          else in its data directory.
        </p>
      </form>
    </main>
  );
}

export function UnknownCompany() {
  return (
    <main id="page" class="alone" tabIndex={-1}>
      <h1>There is no company {unknownCompany.value} here</h1>
      <p class="quiet">Or this key is not of it. These are:</p>
      <ul class="choices">
        {(companies.value ?? []).map((one) => (
          <li key={one.id}>
            <a href={`/?company=${one.prefix}`}>
              {one.name} · {one.prefix}
            </a>
          </li>
        ))}
      </ul>
    </main>
  );
}

export function NoCompany() {
  return (
    <main id="page" class="alone" tabIndex={-1}>
      <h1>No company yet</h1>
      <p class="quiet">
        Everything belongs to one: agents, issues, keys. Make the first from a terminal on this machine:
      </p>
      <pre tabIndex={0}>{`curl -X POST ${window.location.origin}/v1/companies \\
  -H 'content-type: application/json' \\
  -d '{"name":"Acme","prefix":"ACME"}'`}</pre>
      <p class="quiet">This page sees it as soon as it is there.</p>
    </main>
  );
}
