/** Light or dark: the system's choice until somebody presses ◐ (web/public/theme.js applies it before the first paint). */
import { effect, signal } from '@preact/signals';

const { dataset } = document.documentElement;
const system = window.matchMedia('(prefers-color-scheme: dark)');

export const theme = signal<'light' | 'dark'>(dataset.theme === 'dark' ? 'dark' : 'light');
effect(() => {
  dataset.theme = theme.value;
});
system.addEventListener('change', () => {
  if (dataset.themeIs !== 'chosen') theme.value = system.matches ? 'dark' : 'light';
});

export function toggleTheme(): void {
  dataset.themeIs = 'chosen';
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem('baton.theme', theme.value);
  } catch {
    // It holds until the page is left.
  }
}
