/** `nestjs-rq/dashboard`: a page that shows and operates all queues, mounted in a Nest application. */
export { RqDashboardModule } from './nest/rq-dashboard.module.js';
export type { RqDashboardOptions, RqPermissionPolicy } from './nest/dashboard-options.js';
export { OnAudit } from './nest/on-audit.decorator.js';
export {
  PERMISSIONS,
  type PermissionCheck,
  type PermissionContext,
  type RqPermission,
} from './server/index.js';
