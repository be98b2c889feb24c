/**
 * What may happen to one call of the memory store: the test or the simulation is asked per call and answers with a
 * *fate*. The store stays a faithful database; only the way to it and back fails. Whatever the fate, a call is applied
 * at most once and atomically.
 */
import type { Store } from './store.ts';

/** The calls a fate is asked for. `live` is asked once per page. */
export type StoreCall = Exclude<keyof Store, 'close' | 'onDoubt' | 'renew'>;

export type Fate =
  /** Applied once `before` resolves (absent: at once), answered once `after` resolves. */
  | { readonly is: 'proceed'; readonly before?: Promise<unknown>; readonly after?: Promise<unknown> }
  /** The request never arrives. The caller hears so once `after` resolves. */
  | { readonly is: 'lost'; readonly after?: Promise<unknown> }
  /**
   * Applied once `before` resolves, but the answer is lost. The caller hears so once `after` resolves – which may be
   * long before the application: a late delivery – or, without `after`, as soon as it is applied.
   */
  | { readonly is: 'unanswered'; readonly before?: Promise<unknown>; readonly after?: Promise<unknown> }
  /** The database calls the data unstorable and writes nothing. Only `commit` can answer so; other calls reject. */
  | { readonly is: 'rejected'; readonly after?: Promise<unknown> };

export interface MemoryFaults {
  /**
   * Decides one call's fate; undefined: it proceeds at once.
   * @param node who calls: the owner of a commit, the node of an ownership call, else the handle's (`forNode`); null
   * when a read comes from no handle.
   */
  fate(call: StoreCall, node: string | null): Fate | undefined;
}

/** How a call ended, as its caller hears it. */
export type Heard<T> =
  | { readonly is: 'answered'; readonly value: T }
  | { readonly is: 'unheard'; readonly error: Error }
  | { readonly is: 'refused'; readonly error: Error };

/** Carries `apply` out under its fate. Throws only what `apply` throws. */
export async function under<T>(fate: Fate | undefined, call: StoreCall, apply: () => T): Promise<Heard<T>> {
  if (fate === undefined) return { is: 'answered', value: apply() };
  switch (fate.is) {
    case 'proceed': {
      if (fate.before !== undefined) await fate.before;
      const value = apply();
      if (fate.after !== undefined) await fate.after;
      return { is: 'answered', value };
    }
    case 'lost':
      if (fate.after !== undefined) await fate.after;
      return { is: 'unheard', error: new Error(`${call}: the request was lost`) };
    case 'unanswered': {
      const applied = fate.before === undefined ? void apply() : fate.before.then(() => void apply());
      await (fate.after ?? applied);
      return { is: 'unheard', error: new Error(`${call}: the answer was lost`) };
    }
    case 'rejected':
      if (fate.after !== undefined) await fate.after;
      return { is: 'refused', error: new Error(`${call}: the data was rejected`) };
  }
}
