/** The machine to take away: as strict JSON, as `createMachine` source, as Mermaid. */
import { client, keyOfTab } from '../session.ts';
import { toast } from '../ui/toasts.tsx';

const KINDS = [
  { as: 'json', word: 'JSON' },
  { as: 'source', word: 'createMachine' },
  { as: 'mermaid', word: 'Mermaid' },
] as const;

export function Exports() {
  if (client.value === null) return null;
  return (
    <div class="exports" role="group" aria-label="Copy the machine">
      <span class="quiet">Copy as</span>
      {KINDS.map(({ as, word }) => (
        <button key={as} type="button" class="button" onClick={() => void copy(as, word)}>
          {word}
        </button>
      ))}
    </div>
  );
}

async function copy(as: string, word: string): Promise<void> {
  const key = keyOfTab();
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  try {
    const answer = await fetch(`/v1/machines/issue/export?as=${as}`, { headers });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    // Browsers have a clipboard for pages on this machine and over https only.
    if (navigator.clipboard === undefined) throw new Error('this address is not a secure one');
    await navigator.clipboard.writeText(await answer.text());
    toast({ is: 'done', text: `The machine is in the clipboard as ${word}` });
  } catch (error) {
    const hint = `It is also at /v1/machines/issue/export?as=${as}.`;
    toast({ is: 'refused', text: `It could not be copied: ${(error as Error).message}`, hint });
  }
}
