// Makes the modules that are texts of other files: the Lua scripts, the program of the lease guard's thread and the page of
// the dashboard. They travel inside the code, since a bundler finds no files. It runs before each build, type check, lint and test.
import './compile-lua.mjs';
import './compile-thread.mjs';
import './compile-dashboard.mjs';
