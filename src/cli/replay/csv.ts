/**
 * A small streaming CSV reader (RFC 4180): quotes, doubled quotes, commas and line ends inside them, CRLF or LF, a BOM,
 * blank lines skipped. Every record comes with the number of the line it begins on, for messages.
 */
import { BatonError } from '../../errors.ts';

export interface CsvRecord {
  /** 1-based line where the record begins. */
  readonly line: number;
  readonly fields: readonly string[];
}

type Place = 'start' | 'plain' | 'quoted' | 'closed';

export class CsvReader {
  #place: Place = 'start';
  #field = '';
  #fields: string[] = [];
  #line = 1;
  #begunAt = 1;
  #isFirst = true;
  #skipLf = false;

  /** Takes the next piece of text and answers the records that are complete. */
  push(chunk: string): CsvRecord[] {
    const out: CsvRecord[] = [];
    let text = chunk;
    if (this.#isFirst && text !== '') {
      this.#isFirst = false;
      if (text.startsWith('\ufeff')) text = text.slice(1);
    }
    for (const c of text) this.#take(c, out);
    return out;
  }

  /**
   * The last record, where the file does not end with a line end.
   * @throws BatonError VALIDATION when a quote is still open
   */
  end(): CsvRecord[] {
    if (this.#place === 'quoted') {
      throw bad(
        this.#begunAt,
        'a quoted field is never closed',
        'close the quote, or double it where it is meant as text',
      );
    }
    const out: CsvRecord[] = [];
    if (this.#fields.length > 0 || this.#field !== '' || this.#place !== 'start') this.#finish(out);
    return out;
  }

  #take(c: string, out: CsvRecord[]): void {
    const isLf = c === '\n' && this.#skipLf;
    this.#skipLf = false;
    if (isLf) return;
    if (this.#place === 'quoted') {
      if (c === '"') this.#place = 'closed';
      else {
        if (c === '\n') this.#line++;
        this.#field += c;
      }
      return;
    }
    if (c === '\n' || c === '\r') {
      this.#skipLf = c === '\r';
      this.#finish(out);
      this.#line++;
      this.#begunAt = this.#line;
      return;
    }
    if (c === ',') {
      this.#fields.push(this.#field);
      this.#field = '';
      this.#place = 'start';
      return;
    }
    if (c === '"') {
      // After a closing quote it was a doubled one; inside a plain field it is just a character.
      if (this.#place === 'plain') this.#field += c;
      else {
        if (this.#place === 'closed') this.#field += c;
        this.#place = 'quoted';
      }
      return;
    }
    if (this.#place === 'closed') {
      throw bad(this.#line, `${JSON.stringify(c)} after a closing quote`, 'put the whole field in quotes');
    }
    this.#field += c;
    this.#place = 'plain';
  }

  #finish(out: CsvRecord[]): void {
    const isBlank = this.#fields.length === 0 && this.#field === '' && this.#place === 'start';
    if (!isBlank) out.push({ line: this.#begunAt, fields: [...this.#fields, this.#field] });
    this.#fields = [];
    this.#field = '';
    this.#place = 'start';
  }
}

/** A row that cannot be played: where, what, what to do. */
export function bad(line: number, what: string, remedy: string): BatonError {
  return new BatonError('VALIDATION', `Line ${line}: ${what}; ${remedy}.`);
}
