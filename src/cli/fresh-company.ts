/** A company of its own for whatever fills one by itself: INC, INC2, INC3 … whichever prefix is free. */
import type { Company, HttpApi } from '../client/http.ts';
import { RemoteError } from '../client/remote-error.ts';

const MOST = 10_000;

export async function freshCompany(http: HttpApi, name: string, prefix: string): Promise<Company> {
  for (let n = 1; ; n++) {
    try {
      return await http.createCompany({ name, prefix: n === 1 ? prefix : `${prefix}${n}` });
    } catch (error) {
      if (!(error instanceof RemoteError) || error.code !== 'CONFLICT' || n === MOST) throw error;
    }
  }
}
