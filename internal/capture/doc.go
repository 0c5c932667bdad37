// Package capture captures TCP headers on the interfaces of this machine (AF_PACKET).
package capture
