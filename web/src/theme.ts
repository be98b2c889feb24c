/** Light or dark: the system's choice until somebody presses ◐ (web/public/theme.js applies it before the first paint). */
import { signal } from '@preact/signals';

const asked = document.documentElement.dataset.theme;
const system = window.matchMedia('(prefers-color-scheme: dark)');

export const theme = signal<'light' | 'dark'>(
  asked === 'light' || asked === 'dark' ? asked : system.matches ? 'dark' : 'light',
);
system.addEventListener('change', () => {
  if (document.documentElement.dataset.theme === undefined) theme.value = system.matches ? 'dark' : 'light';
});

export function toggleTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = theme.value;
  try {
    localStorage.setItem('baton.theme', theme.value);
  } catch {
    // It holds until the page is left.
  }
}
