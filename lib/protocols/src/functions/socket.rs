//! WebSockets that API Gateway holds.

use super::{Function, On, QueueKind};
use crate::dap::api_gateway;
use crate::rights::Partition::*;
use crate::rights::Right::*;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::on("socket_open", On::Socket(api_gateway::open)).summary("Accepts a WebSocket").may(&[
        List(&[Strangers]),
        Put(&[Strangers]),
        Delete(&[Strangers]),
    ]),
    Function::on("socket_receive", On::Socket(api_gateway::receive))
        .summary("Answers a frame of a WebSocket")
        .may(&[
            Get(&[Keys, Owners, Projects, Connections, Watchers]),
            List(&[Owners, Projects, Strangers]),
            GetMany(&[Projects]),
            Put(&[Keys, Owners, Hooks, Projects, Strangers, Connections, Watchers]),
            PutMany(&[Projects]),
            Update(&[Keys, Owners, Projects, Strangers, Connections, Watchers]),
            Delete(&[Strangers, Connections, Watchers]),
            Check(&[Keys, Owners, Projects]),
            SendFrames,
            CloseSockets,
            FindRuns,
            FollowTimers,
            RingRuns,
            RingSockets,
            Seal,
        ])
        .memory(512),
    Function::on("socket_close", On::Socket(api_gateway::close))
        .summary("Cleans up after a closed WebSocket")
        .may(&[Get(&[Connections]), Delete(&[Strangers, Connections, Watchers])]),
    Function::on("socket_notify", On::Bell(QueueKind::Sockets, api_gateway::notify))
        .summary("Sends notifications to the watchers of tasks")
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            List(&[Owners, Projects, Strangers, Watchers]),
            GetMany(&[Projects]),
            Put(&[Keys, Owners, Projects, Watchers]),
            Update(&[Keys, Owners, Projects, Watchers]),
            Delete(&[Strangers, Connections, Watchers]),
            SendFrames,
            CloseSockets,
            FindRuns,
            RingRuns,
            RingSockets,
        ]),
];
