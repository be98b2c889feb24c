/** Whether a media query holds: for what a style sheet cannot do, such as what stands in which column. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';

export function useMedia(query: string): boolean {
  const list = useMemo(() => window.matchMedia(query), [query]);
  const holds = useSignal(list.matches);
  useEffect(() => {
    const follow = () => {
      holds.value = list.matches;
    };
    follow();
    list.addEventListener('change', follow);
    return () => list.removeEventListener('change', follow);
  }, [list]);
  return holds.value;
}
