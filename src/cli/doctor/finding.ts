/** What the doctor finds: one line a matter, and what to do about it unless all is well. */
export interface Finding {
  readonly about: string;
  readonly is: 'ok' | 'warning' | 'bad' | 'unknown';
  readonly text: string;
  /** Null where there is nothing to do. */
  readonly todo: string | null;
}

export const ok = (about: string, text: string): Finding => ({ about, is: 'ok', text, todo: null });
export const warning = (about: string, text: string, todo: string): Finding => ({
  about,
  is: 'warning',
  text,
  todo,
});
export const bad = (about: string, text: string, todo: string): Finding => ({ about, is: 'bad', text, todo });
/** What cannot be seen from here, and what would make it seen. */
export const unknown = (about: string, text: string, todo: string): Finding => ({
  about,
  is: 'unknown',
  text,
  todo,
});
