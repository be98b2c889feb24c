/** A server that is not reached though its process lives, hung or stopped: another one is not to be started beside it. */
import { RemoteError } from '../client/remote-error.ts';
import type { Call } from './command.ts';
import { silentServer } from './server.ts';

/** The same error; of a server of this folder that lives, with who it is and what to do. */
export function withSilence(call: Call, error: unknown): unknown {
  // What a server says itself has the code it sent: that one answers.
  if (!(error instanceof RemoteError) || error.code !== 'UNAVAILABLE' || 'code' in error.detail) return error;
  const silent = silentServer(call);
  if (silent === null) return error;
  const message = `${error.message.replace(/\.$/, '')}: ${silent.what}.`;
  return new RemoteError('UNAVAILABLE', message, { ...error.detail, hint: silent.todo });
}
