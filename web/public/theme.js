// Before the first paint, so that who chose dark does not see a flash of light.
try {
  const theme = localStorage.getItem('baton.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden: then the system's choice holds.
}
