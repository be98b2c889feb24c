/** Begins: connects, then draws the shell, which draws the page of the address. */
import { render } from 'preact';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/issues.css';
import './styles/pages.css';
import { followLinks } from './location.ts';
import { pageAt } from './pages.ts';
import { drawPlainly } from './plain.ts';
import { start } from './session.ts';
import { App } from './shell/app.tsx';

drawPlainly();
followLinks((pathname) => pageAt(pathname) !== null);
start();
render(<App />, document.getElementById('app') as HTMLElement);
