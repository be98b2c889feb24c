/** A sentence of the server: its times are the viewer's, and each says in its title what the server wrote. */
import { tick } from '../clock.ts';
import { momentText, piecesOf } from '../moments.ts';

export function Told({ text }: { text: string }) {
  // Only another day would change it: no tick has to draw it again.
  const now = tick.peek();
  return (
    <span>
      {piecesOf(text).map((piece, n) =>
        typeof piece === 'string' ? (
          piece
        ) : (
          <time key={`${n}${piece.iso}`} dateTime={piece.iso} title={piece.iso}>
            {momentText(piece.at, now)}
          </time>
        ),
      )}
    </span>
  );
}
