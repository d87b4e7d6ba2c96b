/** The dashboard without Nest: routes, answers, rules of security. */
export { DashboardServer, type Asker, type Given } from './dashboard-server.js';
export {
  PERMISSIONS,
  type PermissionCheck,
  type PermissionContext,
  type RqPermission,
} from './permissions.js';
export { type Route, match } from './routes.js';
export { type DashboardSettings, type ReadSettings, readSettings } from './settings.js';
export { type ServedDashboard, type ServeOptions, serveDashboard } from './standalone.js';
