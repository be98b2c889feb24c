/** The few icons of the page: drawn on a grid of 16, in the colour of the text beside them, never the only sign. */
const PATHS = {
  idle: <circle cx="8" cy="8" r="5.25" stroke-dasharray="2.2 2.2" />,
  queued: (
    <>
      <circle cx="8" cy="8" r="5.25" />
      <path d="M5.6 8h.01M8 8h.01M10.4 8h.01" stroke-width="1.8" />
    </>
  ),
  executing: <path d="M5.2 3.4v9.2L12.6 8z" fill="currentColor" stroke-linejoin="round" />,
  stopping: <rect x="4" y="4" width="8" height="8" rx="1.5" fill="currentColor" />,
  retrying: (
    <>
      <path d="M13 8a5 5 0 1 1-1.6-3.7" />
      <path d="M13.2 2.2v2.9h-2.9" />
    </>
  ),
  done: <path d="M3.2 8.6l3.2 3.2 6.4-7.4" />,
  cancelled: (
    <>
      <circle cx="8" cy="8" r="5.25" />
      <path d="M4.4 11.6l7.2-7.2" />
    </>
  ),
  alert: (
    <>
      <path d="M8 2.2l6 10.8H2z" stroke-linejoin="round" />
      <path d="M8 6.6v2.8M8 11.2h.01" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.2" />
      <path d="M10.2 10.2L14 14" />
    </>
  ),
  half: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />
    </>
  ),
  plus: <path d="M8 3v10M3 8h10" />,
  close: <path d="M4 4l8 8M12 4l-8 8" />,
  pause: <path d="M5.5 3.5v9M10.5 3.5v9" stroke-width="2" />,
  play: <path d="M5 3v10l8-5z" stroke-linejoin="round" />,
  drain: (
    <>
      <path d="M8 2.5v7M5 7l3 3 3-3" />
      <path d="M3 13.3h10" />
    </>
  ),
  person: (
    <>
      <circle cx="8" cy="5.4" r="2.6" />
      <path d="M2.9 13.6c.6-2.9 2.6-4.3 5.1-4.3s4.500 1.400 5.100 4.300" />
    </>
  ),
  down: <path d="M4 6l4 4 4-4" />,
  up: <path d="M4 10l4-4 4 4" />,
  check: <path d="M3.2 8.6l3.2 3.2 6.4-7.4" />,
  filter: <path d="M2.5 4h11M4.500 8h7M6.500 12h3" />,
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      aria-hidden="true"
      focusable="false"
    >
      {PATHS[name]}
    </svg>
  );
}
