/**
 * A journal row: its text in the database, and the `change` that subscribers get (protocol section 5). What a row's
 * columns say is not repeated in its JSON.
 */
import type { Columns, Facts, Stamp } from '../machines/kind.ts';
import { dotted } from '../machines/step.ts';
import type { EntryRow } from '../persistence/store.ts';
import type { EntryDraft } from './draft.ts';
import type { AnyKind, Resident, Version } from './resident.ts';
import type { JournalLine, Published } from './router.ts';

/** The JSON of a journal row: all that a replay needs (A11). */
export interface EntryJson {
  readonly type: string;
  readonly from: string | null;
  readonly to: string;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly effects: readonly { readonly type: string; readonly data: Record<string, unknown> }[];
  readonly event: { readonly type: string };
  readonly stamp: Stamp;
  readonly key?: string;
}

/** Pieces of JSON text, written once and shared by the database row and every subscriber. */
interface Pieces {
  readonly type: string;
  readonly from: string;
  readonly to: string;
  readonly actor: string;
  readonly effects: string;
  readonly stamp: string;
}

/** Where an entry stands: its columns. */
interface Place {
  readonly companyId: string;
  readonly seq: number;
  readonly actorId: string;
  readonly version: number;
  readonly at: number;
}

/** The `change` as JSON text, without its number and open at its end for what not everybody gets. */
function changeText(kind: AnyKind, place: Place, pieces: Pieces, data: unknown): string {
  return (
    `,"companyId":"${place.companyId}","${kind.kind}Id":"${place.actorId}",` +
    `"version":${place.version},"type":"${pieces.type}","from":${pieces.from},"to":${pieces.to},` +
    `"actor":${pieces.actor},"at":${place.at},"data":${JSON.stringify(data)},"effects":${pieces.effects}`
  );
}

function nameOf(version: Version | null): string {
  return version ? `"${dotted(version.state.value)}"` : 'null';
}

/** Whoever can show an actor as of one of its versions, as JSON text. */
export interface Shower {
  showView(actor: Resident, version: Version): string;
}

/** Facts as JSON text: a kind gives the same object for as long as its actor's state is the same. */
const factsTexts = new WeakMap<Facts, string>();

function factsText(facts: Facts): string {
  let text = factsTexts.get(facts);
  if (text === undefined) {
    text = JSON.stringify(facts);
    factsTexts.set(facts, text);
  }
  return text;
}

/** As `JSON.stringify`, quicker: what it is made of is the same for many events. */
function stampText({ at, u, ids, facts }: Stamp): string {
  let all = '';
  for (const id in facts) all += `${all === '' ? '' : ','}"${id}":${factsText(facts[id] as Facts)}`;
  return `{"at":${at},"u":${u},"ids":${ids.length === 0 ? '[]' : JSON.stringify(ids)},"facts":{${all}}}`;
}

/** An entry with its seq, ready to be stored; after the commit it is what is published. */
export class SealedEntry implements Published {
  readonly companyId: string;
  readonly seq: number;
  readonly actorId: string;
  readonly version: number;
  readonly type: string;
  readonly at: number;
  private readonly actor: Resident;
  private readonly draft: EntryDraft;
  private readonly pieces: Pieces;
  private readonly shower: Shower;
  private change: string | null = null;
  private viewed: string | null = null;

  constructor(companyId: string, seq: number, draft: EntryDraft, shower: Shower) {
    this.companyId = companyId;
    this.seq = seq;
    this.draft = draft;
    this.actor = draft.actor;
    this.actorId = draft.actor.id;
    this.version = draft.after.version;
    this.type = draft.type;
    this.at = draft.stamp.at;
    this.shower = shower;
    this.pieces = {
      type: draft.type,
      from: nameOf(draft.before),
      to: nameOf(draft.after),
      actor: JSON.stringify(draft.by),
      effects: draft.effects.length === 0 ? '[]' : JSON.stringify(draft.effects),
      stamp: stampText(draft.stamp),
    };
  }

  get kind(): string {
    return this.actor.kind.kind;
  }

  get before(): Columns | null {
    return this.draft.before ? this.actor.kind.columns(this.draft.before.state) : null;
  }

  get after(): Columns {
    return this.actor.kind.columns(this.draft.after.state);
  }

  get watchers(): readonly string[] {
    return this.actor.kind.watchers(this.draft.before?.state ?? null, this.draft.after.state);
  }

  row(partition: number, epoch: number): EntryRow {
    const { type, from, to, actor, effects, stamp } = this.pieces;
    const key = this.draft.key === null ? '' : `,"key":${JSON.stringify(this.draft.key)}`;
    return {
      partition,
      companyId: this.companyId,
      seq: this.seq,
      actorId: this.actorId,
      version: this.version,
      epoch,
      at: this.at,
      entry:
        `{"type":"${type}","from":${from},"to":${to},"actor":${actor},"effects":${effects},` +
        `"event":${JSON.stringify(this.draft.event)},"stamp":${stamp}${key}}`,
    };
  }

  /** The actor as of this entry. It is kept as long as the entry is: whoever only wants the newest asks the actor. */
  get view(): string {
    this.viewed ??= this.shower.showView(this.actor, this.draft.after);
    return this.viewed;
  }

  text(options: { view: boolean; stamp: boolean }): string {
    this.change ??= changeText(this.actor.kind, this, this.pieces, this.actor.kind.data(this.draft.event));
    let text = `{"seq":${options.view ? this.seq : this.version}${this.change}`;
    if (options.stamp) text += `,"stamp":${this.pieces.stamp}`;
    if (options.view) text += `,"${this.kind}":${this.view}`;
    return `${text}}`;
  }
}

/** An entry read back from the journal, where nobody knows the states before and after. */
export class StoredEntry implements JournalLine {
  readonly seq: number;
  readonly version: number;
  readonly at: number;
  readonly row: EntryRow;
  readonly json: EntryJson;
  private readonly kind: AnyKind;

  constructor(kind: AnyKind, row: EntryRow) {
    this.kind = kind;
    this.row = row;
    this.seq = row.seq;
    this.version = row.version;
    this.at = row.at;
    this.json = JSON.parse(row.entry) as EntryJson;
  }

  /** `byVersion`: as a journal topic numbers it. */
  text(options: { stamp: boolean; view?: string; byVersion?: boolean }): string {
    const { json } = this;
    const pieces: Pieces = {
      type: json.type,
      from: JSON.stringify(json.from),
      to: JSON.stringify(json.to),
      actor: JSON.stringify(json.actor),
      effects: JSON.stringify(json.effects),
      stamp: '',
    };
    const seq = options.byVersion ? this.version : this.seq;
    let text = `{"seq":${seq}${changeText(this.kind, this.row, pieces, this.kind.data(json.event))}`;
    if (options.stamp) text += `,"stamp":${JSON.stringify(json.stamp)}`;
    if (options.view !== undefined) text += `,"${this.kind.kind}":${options.view}`;
    return `${text}}`;
  }
}
