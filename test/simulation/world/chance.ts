/**
 * Chance out of a seed (A10): every draw of a history comes from here, so that a seed is a history. Streams are split
 * off by name, so that what one part of the world draws does not shift what another sees.
 */
import type { Random } from '../../../src/clock.ts';
import { idOf } from '../../../src/ids.ts';

/** A 32-bit hash of text (FNV-1a, then mixed): seeds of streams. */
export function hash32(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export class Chance implements Random {
  private a: number;
  private b: number;
  private c: number;
  private count = 1;
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
    this.a = hash32(`${name}/a`);
    this.b = hash32(`${name}/b`);
    this.c = hash32(`${name}/c`);
    for (let i = 0; i < 8; i++) this.next();
  }

  /** A stream of its own. */
  split(name: string): Chance {
    return new Chance(`${this.name}/${name}`);
  }

  /** sfc32: 32 random bits. */
  private next(): number {
    const t = (this.a + this.b + this.count) | 0;
    this.count = (this.count + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  u(): number {
    return this.next() / 2 ** 32;
  }

  id(letter: string, partition: number): string {
    return idOf(letter, partition, this.hex(9));
  }

  secret(bytes: number): string {
    return this.hex(bytes);
  }

  private hex(bytes: number): string {
    let text = '';
    for (let i = 0; i < bytes; i++) text += (this.next() & 0xff).toString(16).padStart(2, '0');
    return text;
  }

  // -- what the world draws ------------------------------------------------------------------

  is(probability: number): boolean {
    return this.u() < probability;
  }

  between(least: number, most: number): number {
    return least + this.u() * (most - least);
  }

  whole(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1));
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.u() * from.length)]!;
  }

  /** One of the names, by weight. */
  weighed<K extends string>(weights: Readonly<Record<K, number>>): K {
    const names = Object.keys(weights) as K[];
    let left = this.u() * names.reduce((sum, name) => sum + weights[name], 0);
    for (const name of names) {
      left -= weights[name];
      if (left < 0) return name;
    }
    return names.at(-1)!;
  }

  /** A waiting time with this mean: exponential. */
  wait(mean: number): number {
    return -Math.log(1 - this.u()) * mean;
  }
}
