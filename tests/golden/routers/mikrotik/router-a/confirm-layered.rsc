# router-a. Comes over a new connection: that it does shows that the way in is still there.
:if ([:len [/system/scheduler/find where name="layered-restore" and comment="layered: b63618a4d1f8"]] = 0) do={ :error "layered: not this change is waiting to be confirmed" }
:if ([:len [/interface/vrrp/find where comment="layered" and invalid]] > 0) do={ :error "layered: a VRRP interface is invalid" }
/system/scheduler/remove [/system/scheduler/find where name="layered-restore"]
/file/remove [/file/find where name~"layered-before"]
:put "layered-confirmed"
