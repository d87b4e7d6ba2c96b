import { Injectable } from '@nestjs/common';
import { OnAlert, type RqAlert } from 'nestjs-rq';

/** Of all processes that have such a method, one is called. A real one sends a message. */
@Injectable()
export class Pager {
  readonly alerts: RqAlert[] = [];

  @OnAlert()
  page(alert: RqAlert) {
    this.alerts.push(alert);
    console.log(`    ${alert.state.padEnd(8)} ${alert.severity.padEnd(8)} ${alert.sentence}`);
  }
}
