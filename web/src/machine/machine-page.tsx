/** The issue machine: how many issues are in each of its states at the moment. */
import { count } from '../duration.ts';
import { addressOf } from '../location.ts';
import type { PageProps } from '../pages.ts';
import { stats } from '../shell/status-line.tsx';
import { SHOWN, type Shown, State } from '../ui/state.tsx';

export function MachinePage(_props: PageProps) {
  const { byState = {}, bySubstate = {} } = stats.value ?? {};
  return (
    <div class="page">
      <h1>Machine</h1>
      <table>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Issues</th>
          </tr>
        </thead>
        <tbody>
          {(Object.keys(SHOWN) as Shown[]).map((shown) => {
            const { filter } = SHOWN[shown];
            return (
              <tr key={shown}>
                <td>
                  <a href={addressOf('/', { state: filter })}>
                    <State of={shown} />
                  </a>
                </td>
                <td class="n">{count({ ...byState, ...bySubstate }[filter] ?? 0)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
