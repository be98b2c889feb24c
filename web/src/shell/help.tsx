/** `?`: every key that does something on the page that is shown. */
import { signal } from '@preact/signals';
import { keyHelp } from '../keys.ts';
import { Dialog } from '../ui/dialog.tsx';

export const helpIsOpen = signal(false);

export function Help() {
  if (!helpIsOpen.value) return null;
  return (
    <Dialog label="Keyboard help" class="help" close={() => (helpIsOpen.value = false)}>
      <h2>Keyboard</h2>
      {keyHelp().map(({ title, keys }) => (
        <section key={title}>
          <h3>{title}</h3>
          <dl>
            {keys.map(({ keys: names, does }) => (
              <div key={names}>
                <dt>
                  {names.split(' ').map((name) => (
                    <kbd key={name}>{name}</kbd>
                  ))}
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
