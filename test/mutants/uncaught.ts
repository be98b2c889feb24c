/** What would have ended this process while `doing` went on, a sentence each; it is caught here, whoever else listens. */
export async function uncaughtDuring(doing: () => Promise<unknown>): Promise<string[]> {
  const found: string[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const caught = (error: Error) => found.push(`would have ended the process: ${error.message}`);
  process.on('uncaughtException', caught);
  try {
    await doing();
    return found;
  } finally {
    process.off('uncaughtException', caught);
    for (const other of others) process.on('uncaughtException', other);
  }
}
