package sockets

import (
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
)

// Schema describes a Record in the help of ls --json.
const Schema = `Each line is one JSON object. null is unknown, or means nothing for this socket.
Times are seconds.

  schema           number   version of these objects, see docs/ls.schema.json
  state            string   as ss names it: ESTAB, LISTEN, TIME-WAIT, ...
  local, peer      string   address:port, [address]:port; the port of a listener's peer is 0
  netns            string   network namespace, as --netns takes it
  netns_inode      number   the same as in net:[4026531840]; null: unknown
  device           string   interface that the socket is bound to, if any
  source           string   sock_diag, or /proc/net/tcp where that is refused
  inode, uid       number   of the socket; inode 0: no process has it open
  cookie           number   SO_COOKIE; 0 where the source does not have it
  recv_queue, send_queue  number  bytes; for a listener, connections and backlog
  keepalive        bool     SO_KEEPALIVE
  idle_seconds, interval_seconds, count, user_timeout_seconds
                   number   as getsockopt reads them; a user timeout of 0 is off
  system_defaults  array    those of idle, interval, count that equal the system's default
  go_defaults      bool     15 s, 15 s and 9, as Go sets them on its own
  timer            string   off, on, keepalive, timewait, persist, delack
  timer_seconds    number   until the kernel looks what to do
  unanswered       number   probes or retransmissions without an answer
  next_probe_seconds      number  until the next probe leaves if nothing happens
  detection_seconds       number  from the peer's last segment to giving it up, while idle
  last_data_received_seconds, last_ack_received_seconds  number  ago
  unacked          number   segments in flight
  explanation      string   the same in words, for people; may change
  processes        array    {"pid","fd","name"} of those who have it open; null: unknown
  settings_unknown string   why settings are null, if they are
`

// A Record is the JSON object of a row; see Schema.
type Record struct {
	State string `json:"state"`
	record.Socket
	Device    string `json:"device,omitempty"`
	Source    string `json:"source"`
	Inode     uint32 `json:"inode"`
	UID       uint32 `json:"uid"`
	Cookie    uint64 `json:"cookie"`
	RecvQueue uint32 `json:"recv_queue"`
	SendQueue uint32 `json:"send_queue"`
	record.Settings
	SystemDefaults  []string         `json:"system_defaults"`
	GoDefaults      *bool            `json:"go_defaults"`
	Timer           *string          `json:"timer"`
	TimerLeft       *float64         `json:"timer_seconds"`
	Unanswered      *int             `json:"unanswered"`
	NextProbe       *float64         `json:"next_probe_seconds"`
	Detection       *float64         `json:"detection_seconds"`
	LastData        *float64         `json:"last_data_received_seconds"`
	LastAck         *float64         `json:"last_ack_received_seconds"`
	Unacked         *int             `json:"unacked"`
	Explanation     string           `json:"explanation"`
	Processes       []record.Process `json:"processes"`
	SettingsUnknown string           `json:"settings_unknown,omitempty"`
}

// Record returns the JSON object of a row.
func (r *Row) Record() Record {
	out := Record{
		State: r.State.String(), Socket: r.Socket(), Device: r.DeviceName,
		Source: r.Source, Inode: r.Inode, UID: r.UID, Cookie: r.Cookie,
		RecvQueue: r.RecvQueue, SendQueue: r.SendQueue,
		Settings: record.SettingsOf(r.Settings), Explanation: r.Explain(),
	}
	if r.Settings.Known != 0 {
		out.GoDefaults = new(r.LikeGo)
		out.SystemDefaults = []string{}
		for _, o := range kernel.Options() {
			if r.IsDefault.Has(o) {
				out.SystemDefaults = append(out.SystemDefaults, o.String())
			}
		}
	}
	if r.Timer.Kind != "" {
		out.Timer = new(r.Timer.Kind)
		out.TimerLeft = new(r.Timer.Left.Seconds())
		out.Unanswered = new(r.Timer.Unanswered)
	}
	if next, err := r.NextProbe(); err == nil {
		out.NextProbe = new(next.Seconds())
	}
	if d, err := r.DetectionTime(); err == nil {
		out.Detection = new(d.Seconds())
	}
	if a := r.Activity; a.Known {
		out.LastData = new(a.LastDataReceived.Seconds())
		out.LastAck = new(a.LastAckReceived.Seconds())
		out.Unacked = new(a.Unacked)
	}
	out.Processes = r.Processes()
	if r.Unknown != nil {
		out.SettingsUnknown = r.Unknown.Error()
	}
	return out
}

// Socket returns the part of the JSON object that identifies the socket.
func (r *Row) Socket() record.Socket {
	s := record.Socket{Schema: record.Version, Local: r.Local.String(), Peer: r.Peer.String()}
	if r.NetNS != nil {
		s.NetNS = r.NetNS.String()
		if r.NetNS.Inode != 0 {
			s.NetNSInode = &r.NetNS.Inode
		}
	}
	return s
}

// Processes returns nil if the processes are not known.
func (r *Row) Processes() []record.Process {
	if !r.OwnersKnown {
		return nil
	}
	list := []record.Process{}
	for _, o := range r.Owners {
		list = append(list, record.Process{PID: o.PID, FD: o.FD, Name: o.Process})
	}
	return list
}
