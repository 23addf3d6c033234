# router-b, epoch 1. Written by layered-cloud for RouterOS 7; what has a comment that begins with
# "layered" is overwritten. /import reads the whole file before it runs a line of it.
:local ourGeneration "a381853efeed"

# Nothing is changed before all of this holds.
:if ([:pick [/system/resource/get version] 0 2] != "7.") do={ :error "layered: this is no RouterOS 7" }
:foreach eachOne in={"ether1";"bond-lan.10";"sfp-sfpplus1";"ether4"} do={
    :if ([:len [/interface/find where name=$eachOne]] = 0) do={ :error "layered: there is no interface $eachOne" }
}
:if ([:len [/ip/address/find where address="198.18.0.12/24" and interface="ether1"]] = 0) do={ :error "layered: ether1 does not have 198.18.0.12/24, by which this router is reached" }
:if ([:len [/system/scheduler/find where name="layered-restore"]] > 0) do={ :error "layered: an earlier change was not confirmed and is about to be taken back; run again when the router has restarted" }
:if ([:len [/ip/route/find where dst-address=0.0.0.0/0 and static and disabled=no and comment!="layered"]] > 0) do={ :error "layered: this router has a default route of its own, and is to have 203.0.113.1 alone: remove it" }
:if ([:len [/interface/vrrp/find where comment="layered" and master]] > 0) do={
    :if ([/ping address=198.18.20.2 count=5 interval=200ms] = 0) do={ :error "layered: this router has VIPs, and its peer does not answer at 198.18.20.2" }
}

# The way back: the configuration of now returns, with a restart, unless a new connection confirms.
:local ourBackup "layered-before"
:if ([:len [/file/find where name="flash"]] > 0) do={ :set ourBackup "flash/layered-before" }
/system/backup/save name=$ourBackup dont-encrypt=yes
:if ([:len [/file/find where name=($ourBackup . ".backup")]] = 0) do={ :error "layered: there is no room for a backup" }
/system/scheduler/add name="layered-restore" comment="layered: unfinished" start-time=startup interval=75s on-event="/system/backup/load name=$ourBackup password=\"\""
:put "layered-armed"

# Addresses of its own, and the way out.
:if ([:len [/ip/address/find where address="198.18.10.3/24" and interface="bond-lan.10"]] = 0) do={ /ip/address/add address="198.18.10.3/24" interface="bond-lan.10" comment="layered" }
:if ([:len [/ip/address/find where address="203.0.113.3/24" and interface="sfp-sfpplus1"]] = 0) do={ /ip/address/add address="203.0.113.3/24" interface="sfp-sfpplus1" comment="layered" }
:if ([:len [/ip/address/find where address="198.18.20.3/24" and interface="ether4"]] = 0) do={ /ip/address/add address="198.18.20.3/24" interface="ether4" comment="layered" }
:if ([:len [/ip/route/find where comment="layered"]] = 0) do={ /ip/route/add dst-address=0.0.0.0/0 gateway=203.0.113.1 comment="layered" }
/ip/route/set [/ip/route/find where comment="layered"] gateway=203.0.113.1

# VRRP, silent until the firewall stands. The LAN's instance decides for its group, and it alone advertises.
# disruptive: while the routers say different things here, both hold the addresses
:local wantedOnes {"layered-edge-lan";"layered-edge-wan";"layered-second-lan";"layered-second-wan"}
:foreach eachOne in=[/interface/vrrp/find where comment="layered"] do={
    :if ([:typeof [:find $wantedOnes [/interface/vrrp/get $eachOne name]]] = "nil") do={ /interface/vrrp/remove $eachOne }
}
:if ([:len [/interface/vrrp/find where name="layered-edge-lan"]] = 0) do={ /interface/vrrp/add name="layered-edge-lan" interface="bond-lan.10" vrid=62 disabled=yes comment="layered" }
:if ([:len [/interface/vrrp/find where name="layered-edge-lan" and interface="bond-lan.10" and vrid=62 and version=3 and v3-protocol=ipv4 and priority=200 and interval=1s and preemption-mode=no and sync-connection-tracking=yes and remote-address=198.18.20.2 and connection-tracking-mode=active-active and connection-tracking-port=8275]] = 0) do={ /interface/vrrp/set [/interface/vrrp/find where name="layered-edge-lan"] interface="bond-lan.10" vrid=62 version=3 v3-protocol=ipv4 priority=200 interval=1s preemption-mode=no sync-connection-tracking=yes remote-address=198.18.20.2 connection-tracking-mode=active-active connection-tracking-port=8275 }
:if ([:tostr [/interface/vrrp/get [/interface/vrrp/find where name="layered-edge-lan"] group-authority]] != "self") do={ /interface/vrrp/set [/interface/vrrp/find where name="layered-edge-lan"] group-authority="self" }
:if ([:len [/ip/address/find where address="198.18.10.1/32" and interface="layered-edge-lan"]] = 0) do={ /ip/address/add address="198.18.10.1/32" interface="layered-edge-lan" comment="layered" }
:if ([:len [/interface/vrrp/find where name="layered-edge-wan"]] = 0) do={ /interface/vrrp/add name="layered-edge-wan" interface="sfp-sfpplus1" vrid=61 disabled=yes comment="layered" }
:if ([:len [/interface/vrrp/find where name="layered-edge-wan" and interface="sfp-sfpplus1" and vrid=61 and version=3 and v3-protocol=ipv4 and priority=200 and interval=1s and preemption-mode=no and sync-connection-tracking=no]] = 0) do={ /interface/vrrp/set [/interface/vrrp/find where name="layered-edge-wan"] interface="sfp-sfpplus1" vrid=61 version=3 v3-protocol=ipv4 priority=200 interval=1s preemption-mode=no sync-connection-tracking=no }
:if ([:tostr [/interface/vrrp/get [/interface/vrrp/find where name="layered-edge-wan"] group-authority]] != "layered-edge-lan") do={ /interface/vrrp/set [/interface/vrrp/find where name="layered-edge-wan"] group-authority="layered-edge-lan" }
:if ([:len [/ip/address/find where address="203.0.113.10/32" and interface="layered-edge-wan"]] = 0) do={ /ip/address/add address="203.0.113.10/32" interface="layered-edge-wan" comment="layered" }
:if ([:len [/interface/vrrp/find where name="layered-second-lan"]] = 0) do={ /interface/vrrp/add name="layered-second-lan" interface="bond-lan.10" vrid=64 disabled=yes comment="layered" }
:if ([:len [/interface/vrrp/find where name="layered-second-lan" and interface="bond-lan.10" and vrid=64 and version=3 and v3-protocol=ipv4 and priority=250 and interval=1s and preemption-mode=no and sync-connection-tracking=yes and remote-address=198.18.20.2 and connection-tracking-mode=active-active and connection-tracking-port=8276]] = 0) do={ /interface/vrrp/set [/interface/vrrp/find where name="layered-second-lan"] interface="bond-lan.10" vrid=64 version=3 v3-protocol=ipv4 priority=250 interval=1s preemption-mode=no sync-connection-tracking=yes remote-address=198.18.20.2 connection-tracking-mode=active-active connection-tracking-port=8276 }
:if ([:tostr [/interface/vrrp/get [/interface/vrrp/find where name="layered-second-lan"] group-authority]] != "self") do={ /interface/vrrp/set [/interface/vrrp/find where name="layered-second-lan"] group-authority="self" }
:if ([:len [/ip/address/find where address="198.18.10.4/32" and interface="layered-second-lan"]] = 0) do={ /ip/address/add address="198.18.10.4/32" interface="layered-second-lan" comment="layered" }
:if ([:len [/interface/vrrp/find where name="layered-second-wan"]] = 0) do={ /interface/vrrp/add name="layered-second-wan" interface="sfp-sfpplus1" vrid=63 disabled=yes comment="layered" }
:if ([:len [/interface/vrrp/find where name="layered-second-wan" and interface="sfp-sfpplus1" and vrid=63 and version=3 and v3-protocol=ipv4 and priority=250 and interval=1s and preemption-mode=no and sync-connection-tracking=no]] = 0) do={ /interface/vrrp/set [/interface/vrrp/find where name="layered-second-wan"] interface="sfp-sfpplus1" vrid=63 version=3 v3-protocol=ipv4 priority=250 interval=1s preemption-mode=no sync-connection-tracking=no }
:if ([:tostr [/interface/vrrp/get [/interface/vrrp/find where name="layered-second-wan"] group-authority]] != "layered-second-lan") do={ /interface/vrrp/set [/interface/vrrp/find where name="layered-second-wan"] group-authority="layered-second-lan" }
:if ([:len [/ip/address/find where address="203.0.113.11/32" and interface="layered-second-wan"]] = 0) do={ /ip/address/add address="203.0.113.11/32" interface="layered-second-wan" comment="layered" }

# Which interfaces are which network: what is sent to a VIP comes in by its VRRP interface.
:if ([:len [/interface/list/find where name="layered-management"]] = 0) do={ /interface/list/add name="layered-management" comment="layered" }
:if ([:len [/interface/list/member/find where list="layered-management" and interface="ether1"]] = 0) do={ /interface/list/member/add list="layered-management" interface="ether1" comment="layered" }
:if ([:len [/interface/list/find where name="layered-lan"]] = 0) do={ /interface/list/add name="layered-lan" comment="layered" }
:if ([:len [/interface/list/member/find where list="layered-lan" and interface="bond-lan.10"]] = 0) do={ /interface/list/member/add list="layered-lan" interface="bond-lan.10" comment="layered" }
:if ([:len [/interface/list/member/find where list="layered-lan" and interface="layered-edge-lan"]] = 0) do={ /interface/list/member/add list="layered-lan" interface="layered-edge-lan" comment="layered" }
:if ([:len [/interface/list/member/find where list="layered-lan" and interface="layered-second-lan"]] = 0) do={ /interface/list/member/add list="layered-lan" interface="layered-second-lan" comment="layered" }
:if ([:len [/interface/list/find where name="layered-wan"]] = 0) do={ /interface/list/add name="layered-wan" comment="layered" }
:if ([:len [/interface/list/member/find where list="layered-wan" and interface="sfp-sfpplus1"]] = 0) do={ /interface/list/member/add list="layered-wan" interface="sfp-sfpplus1" comment="layered" }
:if ([:len [/interface/list/member/find where list="layered-wan" and interface="layered-edge-wan"]] = 0) do={ /interface/list/member/add list="layered-wan" interface="layered-edge-wan" comment="layered" }
:if ([:len [/interface/list/member/find where list="layered-wan" and interface="layered-second-wan"]] = 0) do={ /interface/list/member/add list="layered-wan" interface="layered-second-wan" comment="layered" }

# What packets are compared with.
:if ([:len [/ip/firewall/address-list/find where list="layered-cdn-$ourGeneration"]] != 1) do={
    /ip/firewall/address-list/remove [/ip/firewall/address-list/find where list="layered-cdn-$ourGeneration"]
    /ip/firewall/address-list/add list="layered-cdn-$ourGeneration" address=198.51.100.0/24
}
:if ([:len [/ip/firewall/address-list/find where list="layered-inside-$ourGeneration"]] != 5) do={
    /ip/firewall/address-list/remove [/ip/firewall/address-list/find where list="layered-inside-$ourGeneration"]
    /ip/firewall/address-list/add list="layered-inside-$ourGeneration" address=198.18.0.0/24
    /ip/firewall/address-list/add list="layered-inside-$ourGeneration" address=198.18.10.0/24
    /ip/firewall/address-list/add list="layered-inside-$ourGeneration" address=198.18.20.0/24
    /ip/firewall/address-list/add list="layered-inside-$ourGeneration" address=198.18.96.0/20
    /ip/firewall/address-list/add list="layered-inside-$ourGeneration" address=198.19.0.0/16
}
:if ([:len [/ip/firewall/address-list/find where list="layered-management-$ourGeneration"]] != 2) do={
    /ip/firewall/address-list/remove [/ip/firewall/address-list/find where list="layered-management-$ourGeneration"]
    /ip/firewall/address-list/add list="layered-management-$ourGeneration" address=198.18.0.0/28
    /ip/firewall/address-list/add list="layered-management-$ourGeneration" address=198.18.0.99/32
}
:if ([:len [/ip/firewall/address-list/find where list="layered-public-$ourGeneration"]] != 1) do={
    /ip/firewall/address-list/remove [/ip/firewall/address-list/find where list="layered-public-$ourGeneration"]
    /ip/firewall/address-list/add list="layered-public-$ourGeneration" address=203.0.113.10/31
}
:if ([:len [/ip/firewall/address-list/find where list="layered-denied-$ourGeneration"]] != 1) do={
    /ip/firewall/address-list/remove [/ip/firewall/address-list/find where list="layered-denied-$ourGeneration"]
    /ip/firewall/address-list/add list="layered-denied-$ourGeneration" address=192.0.2.128/25
}
:if ([:len [/ip/firewall/address-list/find where list="layered-forward-mail-$ourGeneration"]] != 1) do={
    /ip/firewall/address-list/remove [/ip/firewall/address-list/find where list="layered-forward-mail-$ourGeneration"]
    /ip/firewall/address-list/add list="layered-forward-mail-$ourGeneration" address=192.0.2.0/25
}

# The rules, in chains that nothing leads to yet.
:if ([:len [/ip/firewall/filter/find where chain~$ourGeneration]] != 35) do={
    /ip/firewall/filter/remove [/ip/firewall/filter/find where chain~$ourGeneration]
    /ip/firewall/filter/add chain="layered-logged-$ourGeneration" limit=60/1m,5:packet action=log log-prefix="layered-drop"
    /ip/firewall/filter/add chain="layered-outside-$ourGeneration" src-address-list="layered-inside-$ourGeneration" action=jump jump-target="layered-logged-$ourGeneration"
    /ip/firewall/filter/add chain="layered-outside-$ourGeneration" src-address-list="layered-inside-$ourGeneration" action=drop comment="spoofed"
    /ip/firewall/filter/add chain="layered-outside-$ourGeneration" src-address-list="layered-denied-$ourGeneration" action=jump jump-target="layered-logged-$ourGeneration"
    /ip/firewall/filter/add chain="layered-outside-$ourGeneration" src-address-list="layered-denied-$ourGeneration" action=drop comment="denied"
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" dst-address=127.0.0.0/8 action=accept
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" in-interface-list=layered-wan action=jump jump-target="layered-outside-$ourGeneration"
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" connection-state=established,related action=accept
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" connection-state=invalid action=jump jump-target="layered-logged-$ourGeneration"
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" connection-state=invalid action=drop comment="invalid"
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" protocol=vrrp src-address=198.18.10.2 in-interface-list=layered-lan action=accept
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" in-interface="ether4" src-address=198.18.20.2 protocol=udp dst-port=8275,8276 action=accept
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" in-interface="ether4" src-address=198.18.20.2 protocol=icmp icmp-options=8:0 action=accept
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" in-interface="ether1" src-address-list="layered-management-$ourGeneration" dst-address=198.18.0.12 protocol=tcp dst-port=2201 action=accept comment="sshd"
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" in-interface="ether1" src-address-list="layered-management-$ourGeneration" protocol=icmp icmp-options=8:0 limit=50,50:packet action=accept
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" in-interface-list=layered-lan src-address=198.18.10.0/24 protocol=icmp icmp-options=8:0 limit=50,50:packet action=accept
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" in-interface-list=layered-wan protocol=icmp icmp-options=8:0 limit=20,20:packet action=accept
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" dst-address-list="layered-public-$ourGeneration" action=jump jump-target="layered-logged-$ourGeneration"
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" dst-address-list="layered-public-$ourGeneration" action=drop comment="refused_public"
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" action=jump jump-target="layered-logged-$ourGeneration"
    /ip/firewall/filter/add chain="layered-input-$ourGeneration" action=drop comment="refused_input"
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" in-interface-list=layered-wan action=jump jump-target="layered-outside-$ourGeneration"
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" connection-state=established,related action=accept
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" connection-state=invalid action=jump jump-target="layered-logged-$ourGeneration"
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" connection-state=invalid action=drop comment="invalid"
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" in-interface-list=layered-wan out-interface-list=layered-lan src-address-list="layered-forward-mail-$ourGeneration" connection-nat-state=dstnat dst-address=198.18.10.31 protocol=tcp dst-port=25 dst-limit=5/1s,5,src-address/1m action=accept
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" in-interface-list=layered-wan out-interface-list=layered-lan src-address-list="layered-forward-mail-$ourGeneration" connection-nat-state=dstnat dst-address=198.18.10.31 protocol=tcp dst-port=25 action=jump jump-target="layered-logged-$ourGeneration"
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" in-interface-list=layered-wan out-interface-list=layered-lan src-address-list="layered-forward-mail-$ourGeneration" connection-nat-state=dstnat dst-address=198.18.10.31 protocol=tcp dst-port=25 action=drop comment="limited_mail"
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" in-interface-list=layered-wan out-interface-list=layered-lan connection-nat-state=dstnat dst-address=198.18.10.32 protocol=udp dst-port=5000-5010 action=accept
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" in-interface-list=layered-wan out-interface-list=layered-lan connection-nat-state=dstnat dst-address=198.18.10.31 protocol=tcp dst-port=22 action=accept
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" in-interface-list=layered-wan out-interface-list=layered-lan src-address-list="layered-cdn-$ourGeneration" connection-nat-state=dstnat action=accept
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" in-interface-list=layered-lan out-interface-list=layered-lan src-address=198.18.10.0/24 connection-nat-state=dstnat action=accept
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" in-interface-list=layered-lan out-interface-list=layered-wan src-address=198.18.10.0/24 action=accept
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" action=jump jump-target="layered-logged-$ourGeneration"
    /ip/firewall/filter/add chain="layered-forward-$ourGeneration" action=drop comment="refused_forward"
}
:if ([:len [/ip/firewall/nat/find where chain~$ourGeneration]] != 14) do={
    /ip/firewall/nat/remove [/ip/firewall/nat/find where chain~$ourGeneration]
    /ip/firewall/nat/add chain="layered-dstnat-$ourGeneration" in-interface-list=layered-wan src-address-list="layered-cdn-$ourGeneration" dst-address=203.0.113.10 protocol=tcp dst-port=443 action=dst-nat to-addresses=198.18.10.10 comment="cdn_http"
    /ip/firewall/nat/add chain="layered-dstnat-$ourGeneration" in-interface-list=layered-lan src-address=198.18.10.0/24 dst-address=203.0.113.10 protocol=tcp dst-port=443 action=dst-nat to-addresses=198.18.10.10 comment="hairpin_http"
    /ip/firewall/nat/add chain="layered-dstnat-$ourGeneration" in-interface-list=layered-wan src-address-list="layered-cdn-$ourGeneration" dst-address=203.0.113.11 protocol=tcp dst-port=443 action=dst-nat to-addresses=198.18.10.13 comment="cdn_http"
    /ip/firewall/nat/add chain="layered-dstnat-$ourGeneration" in-interface-list=layered-lan src-address=198.18.10.0/24 dst-address=203.0.113.11 protocol=tcp dst-port=443 action=dst-nat to-addresses=198.18.10.13 comment="hairpin_http"
    /ip/firewall/nat/add chain="layered-dstnat-$ourGeneration" in-interface-list=layered-wan src-address-list="layered-forward-mail-$ourGeneration" dst-address=203.0.113.10 protocol=tcp dst-port=25 action=dst-nat to-addresses=198.18.10.31 comment="forward_mail"
    /ip/firewall/nat/add chain="layered-dstnat-$ourGeneration" in-interface-list=layered-lan src-address=198.18.10.0/24 dst-address=203.0.113.10 protocol=tcp dst-port=25 action=dst-nat to-addresses=198.18.10.31 comment="forward_mail"
    /ip/firewall/nat/add chain="layered-dstnat-$ourGeneration" in-interface-list=layered-wan dst-address=203.0.113.10 protocol=udp dst-port=5000-5010 action=dst-nat to-addresses=198.18.10.32 comment="forward_calls"
    /ip/firewall/nat/add chain="layered-dstnat-$ourGeneration" in-interface-list=layered-lan src-address=198.18.10.0/24 dst-address=203.0.113.10 protocol=udp dst-port=5000-5010 action=dst-nat to-addresses=198.18.10.32 comment="forward_calls"
    /ip/firewall/nat/add chain="layered-dstnat-$ourGeneration" in-interface-list=layered-wan dst-address=203.0.113.10 protocol=tcp dst-port=2222 action=dst-nat to-addresses=198.18.10.31 to-ports=22 comment="forward_shell"
    /ip/firewall/nat/add chain="layered-dstnat-$ourGeneration" in-interface-list=layered-lan src-address=198.18.10.0/24 dst-address=203.0.113.10 protocol=tcp dst-port=2222 action=dst-nat to-addresses=198.18.10.31 to-ports=22 comment="forward_shell"
    /ip/firewall/nat/add chain="layered-dstnat-$ourGeneration" action=accept
    /ip/firewall/nat/add chain="layered-srcnat-$ourGeneration" out-interface-list=layered-lan src-address=198.18.10.0/24 src-address-type=!local action=src-nat to-addresses=198.18.10.4
    /ip/firewall/nat/add chain="layered-srcnat-$ourGeneration" out-interface-list=layered-wan src-address=198.18.10.0/24 action=src-nat to-addresses=203.0.113.11 comment="outbound_snat"
    /ip/firewall/nat/add chain="layered-srcnat-$ourGeneration" action=accept
}
:if ([:len [/ip/firewall/mangle/find where chain~$ourGeneration]] != 2) do={
    /ip/firewall/mangle/remove [/ip/firewall/mangle/find where chain~$ourGeneration]
    /ip/firewall/mangle/add chain="layered-forward-$ourGeneration" in-interface-list=layered-wan protocol=tcp tcp-flags=syn,!rst tcp-mss=1461-65535 action=change-mss new-mss=1460 passthrough=yes
    /ip/firewall/mangle/add chain="layered-forward-$ourGeneration" out-interface-list=layered-wan protocol=tcp tcp-flags=syn,!rst tcp-mss=1461-65535 action=change-mss new-mss=1460 passthrough=yes
}
:if ([:len [/ip/firewall/raw/find where chain~$ourGeneration]] != 4) do={
    /ip/firewall/raw/remove [/ip/firewall/raw/find where chain~$ourGeneration]
    /ip/firewall/raw/add chain="layered-prerouting-$ourGeneration" protocol=vrrp action=notrack
    /ip/firewall/raw/add chain="layered-prerouting-$ourGeneration" in-interface="ether4" protocol=udp dst-port=8275,8276 action=notrack
    /ip/firewall/raw/add chain="layered-output-$ourGeneration" protocol=vrrp action=notrack
    /ip/firewall/raw/add chain="layered-output-$ourGeneration" out-interface="ether4" protocol=udp dst-port=8275,8276 action=notrack
}

# IPv6 is off, and what appears all the same is dropped.
/ipv6/settings/set disable-ipv6=yes forward=no accept-redirects=no accept-router-advertisements=no
:local firstRule
:local ourRule
:if ([:len [/ipv6/firewall/filter/find where comment="layered: input"]] = 0) do={ /ipv6/firewall/filter/add chain=input action=drop comment="layered: input" }
/ipv6/firewall/filter/set [/ipv6/firewall/filter/find where comment="layered: input"] action=drop disabled=no
:set firstRule [:pick [/ipv6/firewall/filter/find where chain=input and dynamic=no] 0]
:set ourRule [:pick [/ipv6/firewall/filter/find where comment="layered: input"] 0]
:if ($firstRule != $ourRule) do={ /ipv6/firewall/filter/move $ourRule destination=$firstRule }
:if ([:len [/ipv6/firewall/filter/find where comment="layered: forward"]] = 0) do={ /ipv6/firewall/filter/add chain=forward action=drop comment="layered: forward" }
/ipv6/firewall/filter/set [/ipv6/firewall/filter/find where comment="layered: forward"] action=drop disabled=no
:set firstRule [:pick [/ipv6/firewall/filter/find where chain=forward and dynamic=no] 0]
:set ourRule [:pick [/ipv6/firewall/filter/find where comment="layered: forward"] 0]
:if ($firstRule != $ourRule) do={ /ipv6/firewall/filter/move $ourRule destination=$firstRule }
:if ([:len [/ipv6/firewall/filter/find where comment="layered: output"]] = 0) do={ /ipv6/firewall/filter/add chain=output action=drop comment="layered: output" }
/ipv6/firewall/filter/set [/ipv6/firewall/filter/find where comment="layered: output"] action=drop disabled=no
:set firstRule [:pick [/ipv6/firewall/filter/find where chain=output and dynamic=no] 0]
:set ourRule [:pick [/ipv6/firewall/filter/find where comment="layered: output"] 0]
:if ($firstRule != $ourRule) do={ /ipv6/firewall/filter/move $ourRule destination=$firstRule }

# From here on they are in force, before all other rules; a change is one jump that leads elsewhere.
:if ([:len [/ip/firewall/filter/find where comment="layered: input"]] = 0) do={ /ip/firewall/filter/add chain=input action=jump jump-target="layered-input-$ourGeneration" comment="layered: input" }
/ip/firewall/filter/set [/ip/firewall/filter/find where comment="layered: input"] action=jump jump-target="layered-input-$ourGeneration" disabled=no
:set firstRule [:pick [/ip/firewall/filter/find where chain=input and dynamic=no] 0]
:set ourRule [:pick [/ip/firewall/filter/find where comment="layered: input"] 0]
:if ($firstRule != $ourRule) do={ /ip/firewall/filter/move $ourRule destination=$firstRule }
:if ([:len [/ip/firewall/filter/find where comment="layered: forward"]] = 0) do={ /ip/firewall/filter/add chain=forward action=jump jump-target="layered-forward-$ourGeneration" comment="layered: forward" }
/ip/firewall/filter/set [/ip/firewall/filter/find where comment="layered: forward"] action=jump jump-target="layered-forward-$ourGeneration" disabled=no
:set firstRule [:pick [/ip/firewall/filter/find where chain=forward and dynamic=no] 0]
:set ourRule [:pick [/ip/firewall/filter/find where comment="layered: forward"] 0]
:if ($firstRule != $ourRule) do={ /ip/firewall/filter/move $ourRule destination=$firstRule }
:if ([:len [/ip/firewall/nat/find where comment="layered: dstnat"]] = 0) do={ /ip/firewall/nat/add chain=dstnat action=jump jump-target="layered-dstnat-$ourGeneration" comment="layered: dstnat" }
/ip/firewall/nat/set [/ip/firewall/nat/find where comment="layered: dstnat"] action=jump jump-target="layered-dstnat-$ourGeneration" disabled=no
:set firstRule [:pick [/ip/firewall/nat/find where chain=dstnat and dynamic=no] 0]
:set ourRule [:pick [/ip/firewall/nat/find where comment="layered: dstnat"] 0]
:if ($firstRule != $ourRule) do={ /ip/firewall/nat/move $ourRule destination=$firstRule }
:if ([:len [/ip/firewall/nat/find where comment="layered: srcnat"]] = 0) do={ /ip/firewall/nat/add chain=srcnat action=jump jump-target="layered-srcnat-$ourGeneration" comment="layered: srcnat" }
/ip/firewall/nat/set [/ip/firewall/nat/find where comment="layered: srcnat"] action=jump jump-target="layered-srcnat-$ourGeneration" disabled=no
:set firstRule [:pick [/ip/firewall/nat/find where chain=srcnat and dynamic=no] 0]
:set ourRule [:pick [/ip/firewall/nat/find where comment="layered: srcnat"] 0]
:if ($firstRule != $ourRule) do={ /ip/firewall/nat/move $ourRule destination=$firstRule }
:if ([:len [/ip/firewall/mangle/find where comment="layered: forward"]] = 0) do={ /ip/firewall/mangle/add chain=forward action=jump jump-target="layered-forward-$ourGeneration" comment="layered: forward" }
/ip/firewall/mangle/set [/ip/firewall/mangle/find where comment="layered: forward"] action=jump jump-target="layered-forward-$ourGeneration" disabled=no
:set firstRule [:pick [/ip/firewall/mangle/find where chain=forward and dynamic=no] 0]
:set ourRule [:pick [/ip/firewall/mangle/find where comment="layered: forward"] 0]
:if ($firstRule != $ourRule) do={ /ip/firewall/mangle/move $ourRule destination=$firstRule }
:if ([:len [/ip/firewall/raw/find where comment="layered: prerouting"]] = 0) do={ /ip/firewall/raw/add chain=prerouting action=jump jump-target="layered-prerouting-$ourGeneration" comment="layered: prerouting" }
/ip/firewall/raw/set [/ip/firewall/raw/find where comment="layered: prerouting"] action=jump jump-target="layered-prerouting-$ourGeneration" disabled=no
:set firstRule [:pick [/ip/firewall/raw/find where chain=prerouting and dynamic=no] 0]
:set ourRule [:pick [/ip/firewall/raw/find where comment="layered: prerouting"] 0]
:if ($firstRule != $ourRule) do={ /ip/firewall/raw/move $ourRule destination=$firstRule }
:if ([:len [/ip/firewall/raw/find where comment="layered: output"]] = 0) do={ /ip/firewall/raw/add chain=output action=jump jump-target="layered-output-$ourGeneration" comment="layered: output" }
/ip/firewall/raw/set [/ip/firewall/raw/find where comment="layered: output"] action=jump jump-target="layered-output-$ourGeneration" disabled=no
:set firstRule [:pick [/ip/firewall/raw/find where chain=output and dynamic=no] 0]
:set ourRule [:pick [/ip/firewall/raw/find where comment="layered: output"] 0]
:if ($firstRule != $ourRule) do={ /ip/firewall/raw/move $ourRule destination=$firstRule }

# The kernel's side of it, and who may look for this router on the wire.
/ip/firewall/connection/tracking/set enabled=yes loose-tcp-tracking=yes tcp-established-timeout=86400s
/ip/settings/set rp-filter=loose accept-redirects=no accept-source-route=no send-redirects=no
/ip/neighbor/discovery-settings/set discover-interface-list="layered-management"
/tool/mac-server/set allowed-interface-list="layered-management"
/tool/mac-server/mac-winbox/set allowed-interface-list="layered-management"
/interface/vrrp/enable [/interface/vrrp/find where comment="layered" and disabled]

# What an earlier text put here and this one does not.
:foreach eachOne in=[/ip/firewall/filter/find where chain~"^layered-"] do={
    :if ([:typeof [:find [/ip/firewall/filter/get $eachOne chain] $ourGeneration]] = "nil") do={ /ip/firewall/filter/remove $eachOne }
}
:foreach eachOne in=[/ip/firewall/nat/find where chain~"^layered-"] do={
    :if ([:typeof [:find [/ip/firewall/nat/get $eachOne chain] $ourGeneration]] = "nil") do={ /ip/firewall/nat/remove $eachOne }
}
:foreach eachOne in=[/ip/firewall/mangle/find where chain~"^layered-"] do={
    :if ([:typeof [:find [/ip/firewall/mangle/get $eachOne chain] $ourGeneration]] = "nil") do={ /ip/firewall/mangle/remove $eachOne }
}
:foreach eachOne in=[/ip/firewall/raw/find where chain~"^layered-"] do={
    :if ([:typeof [:find [/ip/firewall/raw/get $eachOne chain] $ourGeneration]] = "nil") do={ /ip/firewall/raw/remove $eachOne }
}
:foreach eachOne in=[/ip/firewall/address-list/find where list~"^layered-"] do={
    :if ([:typeof [:find [/ip/firewall/address-list/get $eachOne list] $ourGeneration]] = "nil") do={ /ip/firewall/address-list/remove $eachOne }
}
:set wantedOnes {"198.18.10.3/24 bond-lan.10";"203.0.113.3/24 sfp-sfpplus1";"198.18.20.3/24 ether4";"198.18.10.1/32 layered-edge-lan";"203.0.113.10/32 layered-edge-wan";"198.18.10.4/32 layered-second-lan";"203.0.113.11/32 layered-second-wan"}
:foreach eachOne in=[/ip/address/find where comment="layered"] do={
    :if ([:typeof [:find $wantedOnes ([/ip/address/get $eachOne address] . " " . [/ip/address/get $eachOne interface])]] = "nil") do={ /ip/address/remove $eachOne }
}
:set wantedOnes {"layered-management ether1";"layered-lan bond-lan.10";"layered-lan layered-edge-lan";"layered-lan layered-second-lan";"layered-wan sfp-sfpplus1";"layered-wan layered-edge-wan";"layered-wan layered-second-wan"}
:foreach eachOne in=[/interface/list/member/find where comment="layered"] do={
    :if ([:typeof [:find $wantedOnes ([/interface/list/member/get $eachOne list] . " " . [/interface/list/member/get $eachOne interface])]] = "nil") do={ /interface/list/member/remove $eachOne }
}
/system/scheduler/set [/system/scheduler/find where name="layered-restore"] comment="layered: $ourGeneration"
:put "layered-done"
