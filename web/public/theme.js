// Before the first paint, so that nobody sees a flash of the other theme: what the viewer chose, else what the system says.
{
  const root = document.documentElement;
  root.dataset.theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  try {
    const theme = localStorage.getItem('baton.theme');
    if (theme === 'light' || theme === 'dark') {
      root.dataset.theme = theme;
      root.dataset.themeIs = 'chosen';
    }
  } catch {
    // Storage may be forbidden: then the system's choice holds.
  }
}
