/** The connection of a command that stays: lost and back, each said once, however often it is tried in between. */
import type { Client } from '../client/client.ts';

export function watchLink(client: Pick<Client, 'on'>, heard: { lost(): void; back(): void }): void {
  let isLost = false;
  client.on('lost', () => {
    if (!isLost) heard.lost();
    isLost = true;
  });
  client.on('open', () => {
    if (isLost) heard.back();
    isLost = false;
  });
}
