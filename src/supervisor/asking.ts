/**
 * Reads of the database on behalf of somebody outside. One that is not answered is refused with a retryable code, as an
 * event is (A5): a database that is away is no defect of the server. The cause goes to the log.
 */
import type { NodeOptions } from './node.ts';
import { refusalError, unavailable } from './refusals.ts';

export async function answered<T>(asker: Pick<NodeOptions, 'log'>, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    asker.log('warn', 'a read was not answered', { error: String(error) });
    throw refusalError(unavailable('the database does not answer'));
  }
}
