/** The shapes in which the issue machine is given out for drawing (`GET /v1/machines/issue`). */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  /** `issue.running.queued`. */
  readonly id: string;
  readonly parent: string | null;
  /** Dotted, as the journal has it: `running.queued`. */
  readonly name: string;
  readonly key: string;
  readonly description: string | null;
  readonly width: number;
  readonly height: number;
}

/** All transitions from one state to another are drawn as one arrow with several lines of label. */
export interface DrawnArrow {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly points: readonly Point[];
  readonly label: Point & {
    readonly width: number;
    readonly height: number;
    readonly lines: readonly string[];
  };
}

/** What a change's `type`, `from` and `to` mean on the drawing: the arrows it went along, none where it stayed. */
export interface DrawnWay {
  readonly type: string;
  /** Null at birth. */
  readonly from: string | null;
  readonly to: string;
  readonly arrows: readonly string[];
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Box[];
  /** One for each transition that leads elsewhere. */
  readonly edges: readonly {
    readonly source: string;
    readonly target: string;
    readonly event: string;
    readonly guard: string | null;
    readonly points: readonly Point[];
  }[];
  readonly arrows: readonly DrawnArrow[];
  readonly ways: readonly DrawnWay[];
}

export interface DrawnMachine {
  readonly definition: unknown;
  /** SHA-256 of the definition's JSON, hex. */
  readonly hash: string;
  readonly layout: unknown;
}
