/** Who a worker is: an agent, and a key that is only its own. */
import type { Principal } from '../../client/frames.ts';
import type { HttpApi } from '../../client/http.ts';
import { BatonError } from '../../errors.ts';
import type { AgentView } from '../../machines/view.ts';
import { agentNamed } from '../agent-named.ts';
import type { Call } from '../command.ts';
import { clientOf, type Target } from '../server.ts';
import { revokeLeft, workerKeyName } from './worker-key.ts';

export interface Identity {
  readonly agent: AgentView;
  readonly token: string;
  /** Revokes a key that was made for this worker. Never rejects. */
  release(): Promise<void>;
}

/**
 * With an agent's key: that agent, which `name` must be. With an operator's: the agent of that name or id, and a key
 * made for this worker; those of earlier workers that were killed are revoked.
 * @param as what the key is named after.
 * @throws BatonError NOT_FOUND, or VALIDATION when several agents are called that
 */
export async function identityOf(
  call: Call,
  target: Target,
  name: string,
  as = 'baton work',
): Promise<Identity> {
  const client = await clientOf(call, target);
  try {
    const { principal, http } = client;
    if (principal.role === 'agent') return await ownKey(http, principal, target, name);
    const agent = await agentNamed(http, call, name);
    const made = await http.createKey(agent.companyId, {
      role: 'agent',
      agentId: agent.id,
      name: workerKeyName(as),
    });
    // Its own call, later: the connection that made the key is closed by then.
    const release = async () => {
      await http.revokeKey(made.id).catch(() => {});
    };
    call.beforeExit(release);
    await revokeLeft(http, agent.companyId, [agent.id]);
    return { agent, token: made.token ?? '', release };
  } finally {
    client.close();
  }
}

async function ownKey(http: HttpApi, principal: Principal, target: Target, name: string): Promise<Identity> {
  const agent = await http.agent(principal.agentId ?? '');
  if (agent.name !== name && agent.id !== name) {
    throw new BatonError('VALIDATION', `The key is that of agent ${agent.name}, not of ${name}.`, {
      hint: `Use --agent ${agent.name}, or a key of ${name}.`,
    });
  }
  return { agent, token: target.token ?? '', release: async () => {} };
}
