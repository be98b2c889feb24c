/** `baton companies`: the tenants one may see; `create` makes one. */
import { BatonError } from '../errors.ts';
import { type Command, SERVER_FLAGS } from './command.ts';
import { companiesOf } from './companies.ts';
import { timeOf } from './issue-text.ts';
import { httpOf } from './server.ts';
import { table } from './table.ts';
import { emit, plain, say } from './terminal.ts';

export const companiesCommand: Command = {
  name: 'companies',
  summary: 'list companies, or make one',
  usage: '[create PREFIX [NAME]]',
  takes: [0, 3],
  flags: SERVER_FLAGS,
  examples: ['baton companies', 'baton companies create ACME "Acme Ltd"'],
  async run(call) {
    const { terminal, args } = call;
    const http = httpOf(call);
    const [verb, prefix, name = prefix] = args;
    if (verb !== undefined) {
      if (verb === 'create' && prefix === undefined) {
        throw new BatonError('VALIDATION', 'The PREFIX is missing, with which its issues are numbered.', {
          hint: 'For instance: baton companies create ACME "Acme Ltd".',
        });
      }
      if (verb !== 'create' || prefix === undefined) {
        throw new BatonError(
          'VALIDATION',
          `${JSON.stringify(args.join(' '))} is not something to do with companies.`,
          {
            hint: 'baton companies create PREFIX NAME makes one.',
          },
        );
      }
      const made = await http.createCompany({ prefix: prefix.toUpperCase(), name: name ?? prefix });
      emit(terminal, made);
      say(terminal, `Company ${made.prefix} (${plain(made.name)}) is made: ${made.id}.`);
      return 0;
    }
    const companies = await companiesOf(http, call);
    for (const company of companies) emit(terminal, company);
    if (terminal.json) return 0;
    if (companies.length === 0) say(terminal, 'There is none yet: baton companies create ACME "Acme Ltd".');
    else {
      const columns = [
        { head: 'PREFIX' },
        { head: 'NAME', flexible: true },
        { head: 'ID' },
        { head: 'SINCE' },
      ];
      const rows = companies.map((c) => [c.prefix, c.name, c.id, timeOf(c.createdAt)]);
      terminal.out.write(table(terminal, columns, rows));
    }
    return 0;
  },
};
