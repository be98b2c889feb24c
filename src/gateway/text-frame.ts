/**
 * Text frames as a server writes them (RFC 6455, 5.2): whole, unmasked, a header of 2, 4 or 10 bytes before the payload.
 * Written here instead of by the WebSocket library so that many frames for one reader become one buffer and one write,
 * and one frame for many readers is written down once (decision 0008).
 */

/** First byte: the last frame of its message, and text. */
const FIN_TEXT = 0x81;

/** Bytes of the header before a payload of so many bytes. */
export function headerBytes(payload: number): number {
  return payload < 126 ? 2 : payload < 65_536 ? 4 : 10;
}

/** Writes the header; answers where the payload begins. */
function writeHeader(into: Buffer, at: number, payload: number): number {
  into[at] = FIN_TEXT;
  if (payload < 126) {
    into[at + 1] = payload;
    return at + 2;
  }
  if (payload < 65_536) {
    into[at + 1] = 126;
    return into.writeUInt16BE(payload, at + 2);
  }
  into[at + 1] = 127;
  return into.writeUInt32BE(payload % 2 ** 32, into.writeUInt32BE(Math.floor(payload / 2 ** 32), at + 2));
}

/** Writes text of so many bytes; text of as many bytes as characters is ASCII, and quicker to write. */
function writeText(into: Buffer, at: number, text: string, bytes: number): number {
  return at + into.write(text, at, bytes, bytes === text.length ? 'latin1' : 'utf8');
}

/** A frame written down once for all who get the same one. */
export class SharedFrame {
  /** Header and payload. */
  readonly framed: Buffer;
  /** Bytes of the payload. */
  readonly bytes: number;

  constructor(text: string) {
    this.bytes = Buffer.byteLength(text);
    this.framed = Buffer.allocUnsafe(headerBytes(this.bytes) + this.bytes);
    writeText(this.framed, writeHeader(this.framed, 0, this.bytes), text, this.bytes);
  }

  /** The payload as text. */
  toString(): string {
    return this.framed.toString('utf8', this.framed.length - this.bytes);
  }
}

/** Frames of one reader that leave together. */
export class FrameBatch {
  #frames: (string | SharedFrame)[] = [];
  /** Payload bytes of each. */
  #sizes: number[] = [];
  #bytes = 0;

  /** Bytes of all frames with their headers. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a frame; answers the new number of bytes. */
  add(frame: string | SharedFrame): number {
    const size = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.bytes;
    this.#frames.push(frame);
    this.#sizes.push(size);
    this.#bytes += headerBytes(size) + size;
    return this.#bytes;
  }

  /** All frames in order as one buffer; none are left. */
  take(): Buffer {
    const frames = this.#frames;
    const sizes = this.#sizes;
    const [first] = frames;
    const total = this.#bytes;
    this.#frames = [];
    this.#sizes = [];
    this.#bytes = 0;
    if (frames.length === 1 && first instanceof SharedFrame) return first.framed;
    const all = Buffer.allocUnsafe(total);
    let at = 0;
    for (let n = 0; n < frames.length; n++) {
      const frame = frames[n]!;
      if (typeof frame === 'string') {
        const size = sizes[n]!;
        at = writeText(all, writeHeader(all, at, size), frame, size);
      } else {
        at += frame.framed.copy(all, at);
      }
    }
    return all;
  }

  /** Forgets all frames. */
  clear(): void {
    this.#frames = [];
    this.#sizes = [];
    this.#bytes = 0;
  }
}
