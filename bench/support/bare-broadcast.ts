/**
 * A process of its own: a bare `ws` server that sends a frame of the asked size to everybody for each frame it gets – the
 * least a broadcast can cost. Prints its URL; ends with its standard input.
 */
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

const payload = Buffer.alloc(Number(process.argv[2]), 'x');
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: false,
  handleProtocols: () => 'baton.v1',
});
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', () => {
    for (const client of server.clients) if (client !== socket) client.send(payload, { binary: false });
  });
});
server.on('listening', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
