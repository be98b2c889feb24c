/** Defects of the door: what is believed of a frame, and what of a credential. */
import { Homes } from '../../../src/gateway/homes.ts';
import { eventFrame } from '../../../src/gateway/protocol.ts';
import { Session } from '../../../src/gateway/session.ts';
import { type Mutant, replaced } from './mutant.ts';

export const COMPANY_FILTER_REMOVED = {
  name: 'company-filter-removed',
  breaks: 'whoever has a credential reaches every company',
  killedBy: 'P15',
  seeds: [6, 14],
  patch: () =>
    replaced(
      Homes.prototype,
      'companyOf',
      (companyOf) =>
        function (this: Homes, id, letter) {
          return companyOf.call(this, id, letter, null);
        },
    ),
} as const satisfies Mutant;

export const XSTATE_FORWARDED = {
  name: 'xstate-forwarded',
  breaks: 'an event frame is taken as it comes, whatever its type',
  killedBy: 'P10',
  seeds: [34, 37],
  patch: () =>
    replaced(
      eventFrame,
      'safeParse',
      () => (frame) => ({ success: true, data: frame }) as ReturnType<typeof eventFrame.safeParse>,
    ),
} as const satisfies Mutant;

export const PARSE_WITHOUT_CATCH = {
  name: 'parse-without-catch',
  breaks: 'a frame is parsed where nobody catches what that throws',
  killedBy: 'P10',
  seeds: [5, 6],
  patch: () =>
    replaced(
      Session.prototype,
      'receive',
      (receive) =>
        function (this: Session, text) {
          JSON.parse(text);
          receive.call(this, text);
        },
    ),
} as const satisfies Mutant;

export const GATEWAY_MUTANTS: readonly Mutant[] = [
  COMPANY_FILTER_REMOVED,
  XSTATE_FORWARDED,
  PARSE_WITHOUT_CATCH,
];
