/**
 * One line about a hook event, whoever's it is: Claude Code's (`hook_event_name`, with the fields of each event) and
 * Codex's (`type`, words joined by dashes). Pure.
 */

const LONGEST = 500;

/** Null: not a hook event. */
export function hookNote(json: string): string | null {
  let event: unknown;
  try {
    event = JSON.parse(json);
  } catch {
    return null;
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return null;
  const e = event as Record<string, unknown>;
  const name = text(e.hook_event_name) ?? text(e.type);
  if (name === null) return null;
  const tool = text(e.tool_name);
  const about =
    text(e.message) ??
    text(e['last-assistant-message']) ??
    text(e.last_assistant_message) ??
    toolInput(e.tool_input) ??
    text(e.prompt) ??
    text(e.reason) ??
    text(e.source);
  const words = [name, tool, about].filter((word) => word !== null);
  return words.join(' · ').replace(/\s+/g, ' ').trim().slice(0, LONGEST);
}

/** What a tool is about to do: the command, the file, the question. */
function toolInput(input: unknown): string | null {
  if (typeof input !== 'object' || input === null) return null;
  const { command, file_path, path, pattern, url, query, description } = input as Record<string, unknown>;
  for (const value of [command, file_path, path, pattern, url, query, description]) {
    const said = text(value);
    if (said !== null) return said;
  }
  return null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}
