// Package proc finds processes in /proc, and reads what it shows about a process (Linux).
package proc
