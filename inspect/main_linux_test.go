package inspect_test

import (
	"testing"

	"github.com/tcpkeepalive/keepalive/internal/netlab"
)

func TestMain(m *testing.M) { netlab.RunManyAtATime(m) }
