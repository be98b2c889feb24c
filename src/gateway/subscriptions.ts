/**
 * The subscriptions of one session: opened, counted, ended (protocol section 6). An id is taken from the moment it is
 * asked for, so that two requests with the same one cannot both be opening. One that is ended before it was answered is
 * answered by that: every request is, once and in order.
 */
import { BatonError } from '../errors.ts';
import { isId } from '../ids.ts';
import type { Router, Topic } from '../supervisor/router.ts';
import type { Principal } from './auth.ts';
import type { ChangeFrames } from './change-frames.ts';
import type { Homes } from './homes.ts';
import type { Outbox } from './outbox.ts';
import { badFields, errorFrame, notFound, refused } from './problem.ts';
import { SUBSCRIPTIONS, type SubFrame, type TopicName, topicOf, whereOf } from './protocol.ts';
import { type StatsFeeds, StatsSubscription } from './stats-feed.ts';
import { Subscription } from './subscription.ts';

export interface SubscriptionsOptions {
  readonly principal: Principal;
  readonly router: Router;
  readonly homes: Homes;
  readonly stats: StatsFeeds;
  readonly frames: ChangeFrames;
  readonly outbox: Outbox;
}

interface Taken {
  /** Its `ok` was sent. */
  readonly answered: boolean;
  end(): void;
}

/** A subscription whose place is taken, and what is still to be done to open it. */
interface Opening {
  readonly subscription: Taken;
  opened(): Promise<void>;
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #open = new Map<string, Taken>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /**
   * Opens one; its `ok` is sent by the subscription itself, before its snapshot.
   * @throws BatonError VALIDATION (topic, filter, id taken, one too many), NOT_FOUND, or what the router says.
   */
  async open(frame: SubFrame): Promise<void> {
    const { id } = frame;
    const name = topicOf(frame.topic);
    if (name === null) throw badFields([{ path: 'topic', message: 'no such kind of topic' }]);
    if (frame.where !== undefined && frame.where !== null && name.kind !== 'company') {
      throw badFields([{ path: 'where', message: 'only a company topic is filtered' }]);
    }
    if (this.#open.has(id)) throw badFields([{ path: 'id', message: 'a subscription of this id is open' }]);
    if (this.#open.size >= SUBSCRIPTIONS) {
      throw new BatonError('VALIDATION', `At most ${SUBSCRIPTIONS} subscriptions a connection.`, {
        hint: 'Unsubscribe one, or open another connection.',
      });
    }
    const { subscription, opened } =
      name.kind === 'stats' ? this.#stats(id, name) : this.#changes(frame, name);
    this.#open.set(id, subscription);
    try {
      await opened();
    } catch (error) {
      subscription.end();
      // Ended meanwhile: it was answered then, and nothing of it comes after.
      if (this.#open.get(id) !== subscription) return;
      this.#open.delete(id);
      throw error;
    }
  }

  /** Ends one, and answers it where nothing was yet; an id that is not open is none already. */
  close(id: string): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    open.end();
    if (!open.answered) this.#options.outbox.send(errorFrame(id, takenBack()));
  }

  closeAll(): void {
    for (const open of this.#open.values()) open.end();
    this.#open.clear();
  }

  #changes(frame: SubFrame, name: TopicName): Opening {
    const { id, since = null } = frame;
    const { router, outbox, frames, principal } = this.#options;
    const subscription = new Subscription({
      id,
      since,
      journal: name.kind === 'journal',
      stamp: principal.role === 'operator',
      outbox,
      frames,
      ended: () => {
        if (this.#open.get(id) === subscription) this.#open.delete(id);
      },
    });
    const opened = async () => {
      const topic = await this.#topic(name, frame);
      // Ended while its place was looked up.
      if (this.#open.get(id) !== subscription) return;
      const subscribed = await router.subscribe(topic, since, subscription);
      if (subscribed.is !== 'open') throw refused(subscribed);
      subscription.bound(subscribed.close);
    };
    return { subscription, opened };
  }

  async #topic(name: TopicName, frame: SubFrame): Promise<Topic> {
    const { id } = name;
    switch (name.kind) {
      case 'company':
        return { is: 'company', companyId: await this.#company(id), where: whereOf(frame.where) };
      case 'agent':
        return { is: 'pool', companyId: await this.#home(id, 'a', 'agent'), id };
      case 'issue':
        return { is: 'actor', companyId: await this.#home(id, 'i', 'issue'), id };
      default:
        return { is: 'journal', companyId: await this.#home(id, 'i', 'issue'), id };
    }
  }

  #stats(id: string, name: TopicName): Opening {
    const { outbox, router, stats } = this.#options;
    const subscription = new StatsSubscription(id, outbox);
    const opened = async () => {
      const companyId = await this.#company(name.id);
      subscription.open(await router.stats(companyId), stats);
    };
    return { subscription, opened };
  }

  async #company(id: string): Promise<string> {
    const { principal, router } = this.#options;
    const mayKnow = principal.companyId === null || principal.companyId === id;
    if (!mayKnow || !isId(id, 'c') || (await router.company(id)) === null) throw notFound('company');
    return id;
  }

  async #home(id: string, letter: string, noun: string): Promise<string> {
    const { principal, homes } = this.#options;
    const companyId = await homes.companyOf(id, letter, principal.companyId);
    if (companyId === null) throw notFound(noun);
    return companyId;
  }
}

function takenBack(): BatonError {
  return new BatonError('CONFLICT', 'It was unsubscribed before it was open.', {
    hint: 'Subscribe again if it is wanted after all.',
  });
}
