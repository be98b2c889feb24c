/** `baton/client`: the typed client and the worker loop, for Node and browsers. */
export {
  Client,
  type ClientEvents,
  type ClientOptions,
  connect,
  type EventAnswer,
  type EventOptions,
} from './client.ts';
export type { Chance, ClientClock } from './clock.ts';
export { type RunFunction, RunStopped, type RunTools } from './execution.ts';
export type { Change, Principal, StatsChange, StopFrame, Welcome } from './frames.ts';
export {
  type Comment,
  type Company,
  type CompanyStats,
  HttpApi,
  type IssueQuery,
  type Key,
  type LogLine,
  type Page,
} from './http.ts';
export { RemoteError } from './remote-error.ts';
export { type RunOutcome, type RunResult, TransientError } from './run-outcome.ts';
export type { SocketLike, SocketOpener } from './socket.ts';
export type { Subscription, SubscriptionHandlers, Where } from './subscription.ts';
export { type Worker, type WorkerOptions, worker } from './worker.ts';
