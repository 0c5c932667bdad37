//go:build linux && (386 || s390x)

package inspect

import "golang.org/x/sys/unix"

// read goes through x/sys, which knows how socket calls are made here.
func (i *tcpInfo) read(fd uintptr) error {
	info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return err
	}
	*i = tcpInfo{
		state: info.State, retransmits: info.Retransmits, probes: info.Probes, backoff: info.Backoff,
		unacked: info.Unacked, lastDataSent: info.Last_data_sent,
		lastDataReceived: info.Last_data_recv, lastAckRecv: info.Last_ack_recv,
	}
	return nil
}
