import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { type Container, type Probe } from './podspec';

/** Makes a probe once, from the node. A kind of probe that the lab does not make passes. */
export function passes(probe: Probe, container: Container, address: string): Promise<boolean> {
  const { httpGet, tcpSocket } = probe;
  if (httpGet) return fetches(httpGet, portOf(httpGet.port, container), address);
  if (tcpSocket) return connects(portOf(tcpSocket.port, container), address);
  return Promise.resolve(true);
}

function portOf(port: number | string, container: Container): number {
  if (typeof port === 'number') return port;
  return container.ports?.find(({ name }) => name === port)?.containerPort ?? 0;
}

function fetches(get: NonNullable<Probe['httpGet']>, port: number, host: string): Promise<boolean> {
  const client = get.scheme === 'HTTPS' ? https : http;
  return new Promise((resolve) => {
    const options = {
      host,
      port,
      path: get.path ?? '/',
      timeout: 1000,
      agent: false as const,
      rejectUnauthorized: false,
    };
    const request = client.get(options, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 400);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

function connects(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 1000 });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.on('connect', () => end(true));
    socket.on('timeout', () => end(false));
    socket.on('error', () => end(false));
  });
}
