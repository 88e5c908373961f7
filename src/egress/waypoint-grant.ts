import { IConstruct } from 'constructs';
import { Workloads } from '../mesh/workloads';
import { HttpEgress } from './egress-ways';
import { ExternalPort } from './external-port';
import { IExternalService } from './external-service';

/** What one rule allows to some workloads through a waypoint: one port of one service. */
export interface WaypointGrant {
  /** The policy, and its rule, for messages. */
  readonly by: IConstruct;
  readonly rule: number;
  readonly from: Workloads;
  readonly service: IExternalService;
  readonly port: ExternalPort;
  /** What the waypoint does with plain HTTP. Said of HTTP ports only. */
  readonly way?: HttpEgress;
  readonly methods: readonly string[];
  readonly paths: readonly string[];
  readonly trustDomain: string;
}
