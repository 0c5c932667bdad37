package transport_test

import (
	"testing"

	"github.com/tcpkeepalive/keepalive/internal/lab"
)

func TestMain(m *testing.M) { lab.RunManyAtATime(m) }
