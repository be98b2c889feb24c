/**
 * What Node could not read as a request at all: no HTTP, headers too large, headers too slow. No route and no hook ever
 * sees it, so the problem document is written on the bare socket, which is then closed.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { BatonError } from '../errors.ts';
import { problemOf } from './problem.ts';

export function answerUnreadable(error: { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, fault } = faultOf(error.code);
  const body = JSON.stringify(problemOf(fault, status));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function faultOf(code: string | undefined): { status: number; fault: BatonError } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, fault: new BatonError('TOO_LARGE', 'The headers are too large.') };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, fault: new BatonError('VALIDATION', 'The request took too long to arrive.') };
    default:
      return { status: 400, fault: new BatonError('VALIDATION', 'This is not an HTTP request.') };
  }
}
