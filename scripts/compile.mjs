// Makes the modules that are texts of other files: the Lua scripts and the program of the lease guard's thread. Both travel
// inside the code, since a bundler finds no files. It runs before each build, type check, lint and test.
import './compile-lua.mjs';
import './compile-thread.mjs';
