/** A line of small bars, newest at the right. */
const BARS = 60;
const WIDTH = 2;
const HEIGHT = 18;

export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const most = Math.max(1, ...values);
  const from = BARS - values.length;
  return (
    <svg
      class="sparkline"
      role="img"
      aria-label={label}
      width={BARS * WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${BARS * WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
    >
      <rect class="ground" x={0} y={HEIGHT - 1} width={BARS * WIDTH} height={1} />
      {values.map((value, i) => {
        const height = Math.max(1, (value / most) * HEIGHT);
        // The place is the identity: the bars are a window that moves over time.
        return (
          <rect key={i} x={(from + i) * WIDTH} y={HEIGHT - height} width={WIDTH - 0.5} height={height} />
        );
      })}
    </svg>
  );
}
