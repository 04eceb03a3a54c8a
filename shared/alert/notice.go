package alert

// Notice is an incident for who passes it on without looking into it, as AlertWebhook does: what it was read as, and its labels and
// annotations where they were read. An [Incident] has them in maps, and to make those takes longer than to read the notification and to
// write the incident.
type Notice struct {
	Head                Incident // less its labels, annotations and alerts
	labels, annotations texts
	alerts              []listed
}

// listed is an alert of a notice, likewise.
type listed struct {
	Alert
	labels, annotations texts
}

// Room is what reading takes room in, to be used for one notification after another. The zero value is ready.
type Room struct {
	nodes  []node
	alerts []listed
	notice [1]Notice
}

// Notices reads a notification of a source; false if it has no decoder. They are the incidents that the decoder returns, and they are good
// until the room is cleared.
func (r *Room) Notices(source string, m Message) (_ []Notice, known bool, err error) {
	if source == SourceAlertmanager {
		if r.notice[0], err = alertmanager(m.Body, r); err != nil {
			return nil, true, err
		}
		return r.notice[:], true, nil
	}
	decode, known := ByName(source)
	if !known {
		return nil, false, nil
	}
	all, err := decode(m)
	if err != nil {
		return nil, true, err
	}
	return NoticesOf(all), true, nil
}

// maxRoom is how much room is kept, in nodes and in alerts: what a notification of some 100 KB takes. A larger one is rare.
const (
	maxRoomNodes  = 4 << 10
	maxRoomAlerts = 128
)

// Clear forgets what was read, down to the last byte, so that nothing of it is there when the room is used again.
func (r *Room) Clear() {
	r.notice[0] = Notice{}
	clear(r.nodes[:cap(r.nodes)])
	clear(r.alerts[:cap(r.alerts)])
	r.nodes, r.alerts = r.nodes[:0], r.alerts[:0]
	if cap(r.nodes) > maxRoomNodes {
		r.nodes = nil
	}
	if cap(r.alerts) > maxRoomAlerts {
		r.alerts = nil
	}
}

// NoticesOf returns incidents as notices.
func NoticesOf(all []Incident) []Notice {
	list := make([]Notice, len(all))
	for i := range all {
		list[i] = all[i].notice()
	}
	return list
}

// Incident returns the whole incident.
func (n *Notice) Incident() Incident {
	in := n.Head
	in.Labels, in.Annotations = n.labels.mapped(), n.annotations.mapped()
	if n.alerts != nil {
		in.Alerts = make([]Alert, len(n.alerts))
	}
	for i := range n.alerts {
		in.Alerts[i] = n.alerts[i].whole()
	}
	return in
}

func (a *listed) whole() Alert {
	whole := a.Alert
	whole.Labels, whole.Annotations = a.labels.mapped(), a.annotations.mapped()
	return whole
}

func (in Incident) notice() Notice {
	n := Notice{Head: in, labels: textsOf(in.Labels), annotations: textsOf(in.Annotations)}
	n.Head.Labels, n.Head.Annotations, n.Head.Alerts = nil, nil, nil
	if in.Alerts != nil {
		n.alerts = make([]listed, len(in.Alerts))
	}
	for i, a := range in.Alerts {
		n.alerts[i] = listed{a, textsOf(a.Labels), textsOf(a.Annotations)}
		n.alerts[i].Labels, n.alerts[i].Annotations = nil, nil
	}
	return n
}
