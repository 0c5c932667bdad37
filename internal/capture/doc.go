// Package capture takes TCP headers off the interfaces of this machine (AF_PACKET).
package capture
