/**
 * WebSocket frames as bytes (RFC 6455, section 5), written by hand: a library would refuse to send what a hostile client
 * sends. The mask is all zeros where nothing else is asked: allowed, and it saves the fuzzer a pass over each frame.
 */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  readonly opcode?: number;
  /** Default true: the last fragment of its message. */
  readonly fin?: boolean;
  /** Default true, as the protocol demands of clients. */
  readonly masked?: boolean;
  /** Reserved bits, 0..7; none is agreed on. */
  readonly reserved?: number;
  /** What the header claims, where that is not the truth. */
  readonly claims?: number | bigint;
}

export function frameBytes(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const { opcode = OPCODE.text, fin = true, masked = true, reserved = 0 } = options;
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const claims = options.claims ?? body.length;
  const extra = claims < 126 ? 0 : claims < 65_536 ? 2 : 8;
  const bytes = Buffer.alloc(2 + extra + (masked ? 4 : 0) + body.length);
  bytes[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  bytes[1] = (masked ? 0x80 : 0) | (extra === 0 ? Number(claims) : extra === 2 ? 126 : 127);
  if (extra === 2) bytes.writeUInt16BE(Number(claims), 2);
  if (extra === 8) bytes.writeBigUInt64BE(BigInt(claims), 2);
  body.copy(bytes, bytes.length - body.length);
  return bytes;
}

/** A text in `parts` fragments, with a ping between them where `pings`. */
export function fragments(text: string, parts: number, pings: boolean): Buffer {
  const body = Buffer.from(text);
  const size = Math.max(1, Math.ceil(body.length / parts));
  const out: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const opcode = at === 0 ? OPCODE.text : OPCODE.continuation;
    out.push(frameBytes(body.subarray(at, at + size), { opcode, fin: at + size >= body.length }));
    if (pings && at + size < body.length) out.push(frameBytes('', { opcode: OPCODE.ping }));
  }
  return Buffer.concat(out);
}

/** Takes frames of a server – whole, unmasked – out of a stream of bytes. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Calls `each` for every frame that is complete now. */
  push(chunk: Buffer, each: (opcode: number, payload: Buffer) => void): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const head = headOf(bytes);
      if (head === null || bytes.length < head.start + head.length) break;
      each(bytes[0]! & 0x0f, bytes.subarray(head.start, head.start + head.length));
      bytes = bytes.subarray(head.start + head.length);
    }
    this.#rest = bytes;
  }
}

function headOf(bytes: Buffer): { start: number; length: number } | null {
  if (bytes.length < 2) return null;
  const short = bytes[1]! & 0x7f;
  if (short < 126) return { start: 2, length: short };
  if (short === 126) return bytes.length < 4 ? null : { start: 4, length: bytes.readUInt16BE(2) };
  return bytes.length < 10 ? null : { start: 10, length: Number(bytes.readBigUInt64BE(2)) };
}
